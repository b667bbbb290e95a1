#include "aws_env.h"
#include "check_main.h"
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

const char *sl_test_aws_env(void)
{
    char name[128];
    for (char **at = environ; *at;) {
        const char *equals = strchr(*at, '=');
        size_t len = equals ? (size_t)(equals - *at) : 0;
        if (strncmp(*at, "AWS_", 4) == 0 && len < sizeof name) {
            memcpy(name, *at, len);
            name[len] = '\0';
            unsetenv(name);
            at = environ; /* the list has moved */
        } else {
            at++;
        }
    }
    const char *home = sl_test_dir();
    setenv("HOME", home, 1);
    return home;
}

void sl_test_aws_file(const char *home, const char *path, const char *text)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", home, path);
    char *slash = strrchr(whole, '/');
    *slash = '\0';
    ck_assert_int_eq(sl_fs_mkdirs(whole, 0700), 0);
    *slash = '/';
    ck_assert_int_eq(sl_fs_write_file(whole, text, strlen(text), 0600), 0);
}
