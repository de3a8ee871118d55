/*
 * What a machine's console says of its host keys: whole blocks, halves of one, what others write
 * there. Covers providers/shell/ssh_console.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "providers/shell/ssh_console.h"

#define BEGIN "-----BEGIN SSH HOST KEY KEYS-----"
#define END   "-----END SSH HOST KEY KEYS-----"

static void test_consoles(void **state)
{
    static const struct {
        const char *text, *keys; /* NULL: none */
    } cases[] = {
        {"", NULL},
        {"Linux version 6.1\nlogin: ", NULL},
        {BEGIN "\nssh-ed25519 AAAA root@a\n" END "\n", "ssh-ed25519 AAAA\n"},
        {"[1.0] up\r\n" BEGIN "\r\necdsa-sha2-nistp256 BBBB root@a\r\nssh-rsa CCCC\r\n" END "\r\n",
         "ecdsa-sha2-nistp256 BBBB\nssh-rsa CCCC\n"},
        /* not whole */
        {BEGIN "\nssh-ed25519 AAAA root@a\n", NULL},
        {BEGIN "\nssh-ed25519 AAAA root@a\n-----END SSH", NULL},
        {"ssh-ed25519 AAAA root@a\n" END "\n", NULL},
        {BEGIN "\n" END "\n", NULL},
        /* others write, too: between the lines, and later */
        {BEGIN "\n[2.0] eth0: link\nssh-ed25519 AAAA\n x ssh-rsa DDDD\n" END "\n" BEGIN
               "\nssh-ed25519 EEEE\n" END "\n",
         "ssh-ed25519 AAAA\n"},
        /* fingerprints are no keys */
        {"-----BEGIN SSH HOST KEY FINGERPRINTS-----\n256 SHA256:x root@a\n"
         "-----END SSH HOST KEY FINGERPRINTS-----\n",
         NULL},
        {BEGIN "\nssh-ed25519\n" END, "ssh-ed25519 \n"},
    };
    struct tt_arena arena = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *keys = tt_ssh_console_keys(&arena, cases[i].text);

        if (!cases[i].keys)
            assert_null(keys);
        else
            assert_string_equal(keys, cases[i].keys);
    }
    tt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_consoles)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
