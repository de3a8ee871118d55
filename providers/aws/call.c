/*
 * Calls: AWS's query protocol. A form is posted, signed for its moment, and XML comes back.
 *
 * Two refusals say nothing about the request itself and are provably without effect: a clock that
 * is wrong, which is corrected by the reply's Date, and a key that has expired, which is renewed.
 * Both become `unavailable`, so that whoever may repeat the call does.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "providers/aws/cloud.h"

#define MOST_PAGES 2000
#define LEAST_SKEW 30000 /* ms that are worth a correction */

/* --- forms ---------------------------------------------------------------------------------- */

void tt_aws_form_release(struct tt_aws_form *form)
{
    tt_buf_release(&form->text);
}

void tt_aws_add(struct tt_aws_form *form, const char *value, const char *key, ...)
{
    struct tt_arena scratch = {0};
    va_list args;

    if (!value)
        return;
    va_start(args, key);
    tt_buf_addf(&form->text, "&%s=%s", tt_vprintf(&scratch, key, args),
                tt_http_escape(&scratch, value, false));
    va_end(args);
    tt_arena_release(&scratch);
}

void tt_aws_add_all(struct tt_aws_form *form, const struct tt_strings *values, const char *prefix)
{
    for (size_t i = 0; values && i < values->count; i++)
        tt_aws_add(form, values->items[i], "%s.%zu", prefix, i + 1);
}

void tt_aws_filter(struct tt_aws_form *form, const char *name, const char *value)
{
    tt_aws_filter_any(form, name, &(struct tt_strings){.items = &value, .count = 1});
}

void tt_aws_filter_any(struct tt_aws_form *form, const char *name, const struct tt_strings *values)
{
    form->filters++;
    tt_aws_add(form, name, "Filter.%d.Name", form->filters);
    for (size_t i = 0; i < values->count; i++)
        tt_aws_add(form, values->items[i], "Filter.%d.Value.%zu", form->filters, i + 1);
}

/* --- one request ---------------------------------------------------------------------------- */

/* What prepare and judge know of a request. */
struct sending {
    struct tt_aws *aws;
    const char *service;
    const char *region;
    const char *key_id; /* of the last try */
    tt_time sent_at;
};

static tt_time aws_now(struct tt_aws *aws)
{
    tt_time now = aws->clock->now(aws->clock->self);

    pthread_mutex_lock(&aws->lock);
    now += aws->skew;
    pthread_mutex_unlock(&aws->lock);
    return now;
}

static int sign(void *self, struct tt_arena *arena, struct tt_http_request *try,
                struct tt_error *err)
{
    struct sending *sending = self;
    struct tt_aws_key key = {0};

    if (tt_aws_credentials_get(sending->aws->credentials, arena, &key, err) < 0)
        return -1;
    sending->key_id = key.id;
    sending->sent_at = aws_now(sending->aws);
    tt_sigv4_add(arena, &key, sending->service, sending->region, sending->sent_at, try);
    return 0;
}

/* True when the reply's Date shows that our clock is wrong; it is corrected then. */
static bool correct_clock(struct sending *sending, const struct tt_http_reply *reply)
{
    const char *date = tt_http_header(reply, "date");
    struct tm tm = {0};
    tt_time theirs;

    if (!date || !strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm))
        return false;
    theirs = (tt_time)timegm(&tm) * 1000;
    if (llabs((long long)(theirs - sending->sent_at)) < LEAST_SKEW)
        return false;
    pthread_mutex_lock(&sending->aws->lock);
    sending->aws->skew = theirs - sending->aws->clock->now(sending->aws->clock->self);
    pthread_mutex_unlock(&sending->aws->lock);
    return true;
}

static bool is_any(const char *code, const char *const *codes)
{
    for (; *codes; codes++)
        if (strcmp(code, *codes) == 0)
            return true;
    return false;
}

static int judge(void *self, const struct tt_http_request *request,
                 const struct tt_http_reply *reply, struct tt_error *err)
{
    static const char *const clock_codes[] = {"RequestExpired",        "RequestTimeTooSkewed",
                                              "SignatureDoesNotMatch", "InvalidSignatureException",
                                              "AuthFailure",           NULL};
    static const char *const key_codes[] = {"RequestExpired",        "ExpiredToken",
                                            "ExpiredTokenException", "InvalidClientTokenId",
                                            "AuthFailure",           NULL};
    struct sending *sending = self;
    struct tt_aws_fault fault;

    if (reply->status < 300)
        return 0;
    tt_aws_read_fault(reply, &fault);
    tt_aws_judge_fault(request, reply, &fault, err);
    if ((is_any(fault.code, clock_codes) && correct_clock(sending, reply)) ||
        (is_any(fault.code, key_codes) &&
         tt_aws_credentials_expire(sending->aws->credentials, sending->key_id)))
        err->class = TT_ERR_UNAVAILABLE;
    return -1;
}

static int send_form(const struct tt_aws_visit *visit, enum tt_aws_action action, const char *body,
                     struct tt_arena *arena, struct tt_http_reply *ret_reply, struct tt_error *err)
{
    const struct tt_aws_action_row *row = tt_aws_action_row(action);
    struct sending sending = {
        .aws = visit->aws, .service = row->service, .region = visit->region->name};
    struct tt_http_request request = {
        .api = tt_printf(arena, "%s %s", row->api, row->name),
        .method = "POST",
        .url = tt_aws_url(arena, visit->aws->account->endpoint, row->service, visit->region->name),
        .body = body,
        .size = strlen(body),
        .reads = row->reads,
        .bucket = row->reads ? &visit->region->reads : &visit->region->writes,
        .prepare = sign,
        .judge = judge,
        .self = &sending,
    };

    tt_http_add_header(arena, &request, "content-type",
                       "application/x-www-form-urlencoded; charset=utf-8");
    return tt_http_call(visit->aws->http, &request, arena, ret_reply, err);
}

/* A reply that cannot be read came all the same: what it was an answer to may have happened. */
static int read_reply(const struct tt_aws_action_row *row, const struct tt_http_reply *reply,
                      tt_xml_handler handler, void *self, struct tt_error *err)
{
    struct tt_error own = {0};

    if (!handler)
        return 0;
    if (tt_xml_read(reply->body, reply->size, row->name, handler, self, &own) == 0)
        return 0;
    if (own.class == TT_ERR_INTERNAL && !row->reads)
        own.class = TT_ERR_TIMEOUT;
    tt_wrap(&own, "%s %s", row->api, row->name);
    if (err)
        *err = own;
    return -1;
}

static char *write_body(struct tt_arena *arena, const struct tt_aws_action_row *row,
                        const struct tt_aws_form *form, int page, const char *token)
{
    bool elb = strcmp(row->service, "ec2") != 0;
    char *body = tt_printf(arena, "Action=%s&Version=%s%s", row->name, row->version,
                           tt_buf_text(&form->text));

    if (page)
        body = tt_printf(arena, "%s&%s=%d", body, elb ? "PageSize" : "MaxResults", page);
    if (token)
        body = tt_printf(arena, "%s&%s=%s", body, elb ? "Marker" : "NextToken",
                         tt_http_escape(arena, token, false));
    return body;
}

int tt_aws_call(const struct tt_aws_visit *visit, enum tt_aws_action action,
                const struct tt_aws_form *form, tt_xml_handler handler, void *self,
                struct tt_error *err)
{
    const struct tt_aws_action_row *row = tt_aws_action_row(action);
    struct tt_http_reply reply;
    struct tt_arena scratch = {0};
    int result =
        send_form(visit, action, write_body(&scratch, row, form, 0, NULL), &scratch, &reply, err);

    if (result == 0)
        result = read_reply(row, &reply, handler, self, err);
    tt_arena_release(&scratch);
    return result;
}

/* --- lists ---------------------------------------------------------------------------------- */

/* Between the reader and the list's own handler: keeps the token of the next page. */
struct paging {
    tt_xml_handler handler;
    void *self;
    struct tt_buf next;
};

static int take_page(void *self, enum tt_xml_event event, const char *path, const char *value,
                     struct tt_error *err)
{
    struct paging *paging = self;

    if (event == TT_XML_LEAF && *value &&
        (strcmp(path, "nextToken") == 0 || strcmp(path, "NextMarker") == 0)) {
        tt_buf_clear(&paging->next);
        tt_buf_add(&paging->next, value);
    }
    return paging->handler(paging->self, event, path, value, err);
}

int tt_aws_list(const struct tt_aws_visit *visit, enum tt_aws_action action,
                const struct tt_aws_form *form, int page, tt_xml_handler handler, void *self,
                struct tt_error *err)
{
    const struct tt_aws_action_row *row = tt_aws_action_row(action);
    struct paging paging = {handler, self, {0}};
    TT_BUF_AUTO token = {0};
    int result = 0;

    for (int pages = 1; result == 0; pages++) {
        struct tt_arena scratch = {0};
        struct tt_http_reply reply;
        const char *body =
            write_body(&scratch, row, form, page, token.length ? tt_buf_text(&token) : NULL);

        tt_buf_clear(&paging.next);
        result = send_form(visit, action, body, &scratch, &reply, err);
        if (result == 0)
            result = read_reply(row, &reply, take_page, &paging, err);
        tt_arena_release(&scratch);
        if (result < 0 || !paging.next.length)
            break;
        if (pages == MOST_PAGES || tt_streq(tt_buf_text(&paging.next), tt_buf_text(&token)))
            result = tt_fail(err, TT_ERR_INTERNAL, "%s %s has no end: page %d", row->api, row->name,
                             pages);
        tt_buf_clear(&token);
        tt_buf_add(&token, tt_buf_text(&paging.next));
    }
    tt_buf_release(&paging.next);
    return result;
}
