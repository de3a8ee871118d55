/*
 * Probe: all checks share one libcurl multi handle, TCP connects as well as HTTP requests. A window
 * slides over them, as wide as the process has descriptors to spare.
 *
 * A probe goes where it is told and nowhere else: no redirect, no proxy of the environment, no
 * other protocol, no cookie; of an answer only the status counts, and its body is read no further
 * than a bound.
 */
#include "providers/http/probe.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/str.h"

#define BODY_LIMIT      ((size_t)64 * 1024)
#define SPARE_FILES     128 /* descriptors left to the rest of the process */
#define LEAST_WINDOW    16
#define MOST_WINDOW     4096
#define DEFAULT_TIMEOUT 2000
#define LONGEST_POLL    1000

/* A probe under way. */
struct probing {
    struct tt_probe *probe;
    CURL *easy;
    size_t body;
};

static size_t window_size(size_t count)
{
    struct rlimit limit;
    size_t window = MOST_WINDOW;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < MOST_WINDOW + SPARE_FILES)
        window = limit.rlim_cur > LEAST_WINDOW + SPARE_FILES ? (size_t)limit.rlim_cur - SPARE_FILES
                                                             : LEAST_WINDOW;
    return count < window ? count : window;
}

/* The status has come by now; more than a bounded part of the body is not worth reading. */
static size_t take_body(char *data, size_t size, size_t count, void *self)
{
    struct probing *probing = self;

    (void)data;
    probing->body += size * count;
    return probing->probe->any_status || probing->body > BODY_LIMIT ? 0 : size * count;
}

static void set_url(CURL *easy, const struct tt_probe *probe)
{
    bool six = strchr(probe->address, ':') != NULL;
    const char *path = probe->check->http && probe->check->path ? probe->check->path : "/";
    TT_BUF_AUTO url = {0};

    tt_buf_addf(&url, "%s://%s%s%s:%d%s%s", probe->tls ? "https" : "http", six ? "[" : "",
                probe->address, six ? "]" : "", probe->port, path[0] == '/' ? "" : "/", path);
    curl_easy_setopt(easy, CURLOPT_URL, tt_buf_text(&url));
}

/* Whether somebody speaks TLS there is asked, not who: certificates name the services, and an old
 * machine with old ciphers lives, too. */
static void set_tls(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_0);
    curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
}

static void set_options(struct probing *probing)
{
    const struct tt_health_check *check = probing->probe->check;
    CURL *easy = probing->easy;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, probing->probe->tls ? "https" : "http");
    if (probing->probe->tls)
        set_tls(easy);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "trimtab");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     (long)(check->timeout > 0 ? check->timeout : DEFAULT_TIMEOUT));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, probing);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, probing);
    if (!check->http)
        curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    set_url(easy, probing->probe);
}

static bool start(CURLM *multi, struct probing *probing, struct tt_probe *probe)
{
    *probing = (struct probing){.probe = probe, .easy = curl_easy_init()};
    probe->passed = false;
    snprintf(probe->reason, sizeof(probe->reason), "out of memory");
    if (!probing->easy)
        return false;
    set_options(probing);
    if (curl_multi_add_handle(multi, probing->easy) == CURLM_OK)
        return true;
    curl_easy_cleanup(probing->easy);
    return false;
}

static void give_reason(struct tt_probe *probe, CURL *easy, CURLcode code)
{
    long number = 0;

    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
    if (code == CURLE_OPERATION_TIMEDOUT)
        snprintf(probe->reason, sizeof(probe->reason), "no answer in time");
    else if (code == CURLE_COULDNT_CONNECT && number)
        snprintf(probe->reason, sizeof(probe->reason), "%s", strerror((int)number));
    else if (code == CURLE_GOT_NOTHING)
        snprintf(probe->reason, sizeof(probe->reason), "closed without an answer");
    else
        snprintf(probe->reason, sizeof(probe->reason), "%s", curl_easy_strerror(code));
    if (probe->reason[0] >= 'A' && probe->reason[0] <= 'Z')
        probe->reason[0] = (char)(probe->reason[0] - 'A' + 'a');
}

static void conclude(struct tt_probe *probe, CURL *easy, CURLcode code)
{
    long status = 0;

    probe->reason[0] = '\0';
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (!probe->check->http) {
        probe->passed = code == CURLE_OK;
        if (!probe->passed)
            give_reason(probe, easy, code);
        return;
    }
    if (probe->any_status && status > 0) {
        probe->passed = true;
        return;
    }
    /* CURLE_WRITE_ERROR: we had read enough */
    if (code != CURLE_OK && code != CURLE_WRITE_ERROR) {
        give_reason(probe, easy, code);
        return;
    }
    probe->passed = status >= 200 && status <= 399;
    if (!probe->passed)
        snprintf(probe->reason, sizeof(probe->reason), "HTTP %ld", status);
}

/* Takes the probes that ended out of MULTI and puts their places into VACANT; returns how many. */
static size_t reap(CURLM *multi, struct probing **vacant)
{
    size_t count = 0;
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left))) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        struct probing *probing = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&probing);
        conclude(probing->probe, easy, code);
        curl_multi_remove_handle(multi, easy);
        curl_easy_cleanup(easy);
        vacant[count++] = probing;
    }
    return count;
}

void tt_probe_all(struct tt_probe *probes, size_t count)
{
    size_t window = window_size(count), next = 0, vacancies = 0, running = 0;
    CURLM *multi = curl_multi_init();
    struct tt_arena arena = {0};
    struct probing *slots = TT_NEW_ARRAY(&arena, window, struct probing);
    struct probing **vacant = TT_NEW_ARRAY(&arena, window, struct probing *);
    int active;

    for (; vacancies < window; vacancies++)
        vacant[vacancies] = &slots[vacancies];
    while (multi && (next < count || running)) {
        while (vacancies && next < count) {
            if (start(multi, vacant[vacancies - 1], &probes[next++])) {
                vacancies--;
                running++;
            }
        }
        curl_multi_perform(multi, &active);
        size_t ended = reap(multi, vacant + vacancies);
        vacancies += ended;
        running -= ended;
        if (running && !ended)
            curl_multi_poll(multi, NULL, 0, LONGEST_POLL, NULL);
    }
    if (multi)
        curl_multi_cleanup(multi);
    tt_arena_release(&arena);
}
