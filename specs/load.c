/*
 * Load: the stages of specs/ one after the other, from a request to a checked struct tt_desired,
 * or to everything that is wrong with it.
 */
#include <string.h>

#include "specs/check.h"
#include "specs/decode.h"
#include "specs/resolve.h"
#include "specs/source.h"
#include "specs/yaml.h"

/* Parses and decodes one file; a file that ends in an error is kept as broken. */
static void load_file(struct tt_specs *specs, const struct tt_source_file *file)
{
    struct tt_yaml_documents documents = {0};
    size_t size = file->text ? file->size : TT_YAML_MAX_SIZE + 1;

    if (tt_yaml_parse(specs->report, file->path, file->text, size, &documents) < 0)
        *TT_VEC_ADD(specs->arena, &specs->broken) = *file;
    TT_EACH (yaml, &documents) {
        struct tt_document *document = tt_decode_document(specs->report, file->path, yaml);

        if (document)
            *TT_VEC_ADD(specs->arena, &specs->documents) = document;
    }
}

/* The source line of FINDINGS[I], with the secrets covered that any finding of this line tells of:
 * the findings of one line stand together. */
static char *show_line(struct tt_arena *arena, const char *line, const struct tt_finding *findings,
                       size_t i, size_t count)
{
    char *copy = tt_strndup(arena, line, strcspn(line, "\r\n"));
    int number = findings[i].mark.line;

    while (i > 0 && findings[i - 1].mark.line == number)
        i--;
    for (; i < count && findings[i].mark.line == number; i++)
        if (strcmp(findings[i].code, "secret-in-git") == 0)
            tt_mask_value_of(copy, findings[i].mark.column);
    return copy;
}

/* Gives the findings of one file their source lines, in one pass over its text. */
static void add_lines(struct tt_arena *arena, const struct tt_source_file *file,
                      struct tt_finding *findings, size_t count)
{
    char *line = count && file->text ? tt_strdup(arena, file->text) : NULL;
    int number = 1;

    if (line)
        tt_mask_text(line);
    for (size_t i = 0; line && i < count; i++) {
        while (number < findings[i].mark.line && *line) {
            line += strcspn(line, "\n");
            line += *line == '\n';
            number++;
        }
        if (i > 0 && findings[i - 1].mark.line == findings[i].mark.line)
            findings[i].line = findings[i - 1].line;
        else if (number == findings[i].mark.line)
            findings[i].line = show_line(arena, line, findings, i, count);
    }
}

static void finish_findings(struct tt_arena *arena, const struct tt_source_files *files,
                            struct tt_findings *findings)
{
    size_t first = 0;

    tt_findings_sort(findings);
    TT_EACH (file, files) { /* both are sorted by path */
        size_t end = first;

        while (end < findings->count && strcmp(findings->items[end].mark.file, file->path) == 0)
            end++;
        add_lines(arena, file, findings->items + first, end - first);
        first = end;
    }
}

static int set_owner(struct tt_specs *specs, struct tt_error *err)
{
    specs->desired->revision = tt_source_revision(specs->source);
    if (!specs->fleet)
        return tt_source_owner(specs->source, &specs->desired->owner, err);
    specs->desired->owner = tt_document_name(specs->fleet);
    return 0;
}

int tt_specs_load(struct tt_arena *arena, const struct tt_specs_request *request,
                  struct tt_desired **ret_desired, struct tt_findings *ret_findings,
                  struct tt_error *err)
{
    TT_SOURCE_AUTO *source = NULL;
    struct tt_findings findings = {0};
    struct tt_report report = {arena, &findings};
    struct tt_source_files files;
    struct tt_specs specs = {.arena = arena, .report = &report, .world = request->world};

    if (tt_source_open(arena, request, &source, err) < 0 || tt_source_list(source, &files, err) < 0)
        return -1;
    specs.source = source;
    tt_map_init(&specs.by_subject, arena);
    tt_map_init(&specs.files, arena);
    TT_EACH (file, &files)
        load_file(&specs, file);
    tt_specs_resolve(&specs);
    tt_specs_check(&specs);
    finish_findings(arena, &files, &findings);
    if (!findings.count && set_owner(&specs, err) < 0)
        return -1;
    *ret_desired = findings.count ? NULL : specs.desired;
    *ret_findings = findings;
    return 0;
}
