/*
 * Fuzz target: the text of a spec file through the YAML reader and the decoder, as load.c does
 * for each file of a revision. Whatever the bytes are, it ends, with documents or with findings.
 */
#include <stdint.h>
#include <stdlib.h>

#include "specs/decode.h"
#include "specs/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tt_arena arena;
    struct tt_findings findings = {0};
    struct tt_report report = {.arena = &arena, .findings = &findings};
    struct tt_yaml_documents documents = {0};
    char *text;
    int status;

    tt_arena_init(&arena);
    text = tt_strndup(&arena, "", 0);
    if (size > 0) {
        text = tt_alloc(&arena, size + 1);
        for (size_t i = 0; i < size; i++)
            text[i] = (char)data[i];
    }
    status = tt_yaml_parse(&report, "fuzz.yaml", text, size, &documents);
    if (status < 0 && findings.count == 0)
        abort(); /* refused without a word */
    TT_EACH (document, &documents)
        tt_decode_document(&report, "fuzz.yaml", document);
    tt_findings_sort(&findings);
    TT_EACH (finding, &findings) {
        if (!finding->code || !finding->message || finding->mark.line < 0)
            abort(); /* a finding that says nothing */
    }
    tt_arena_release(&arena);
    return 0;
}
