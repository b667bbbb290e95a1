/* check_main.c: runs one suite and gives each test process its folders. */
#include "check_main.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libuv closes its descriptors by a bare system call that the thread sanitizer does not see: whoever is given
 * the number next, on another thread, seems to race with the loop that had it. librdkafka counts references by
 * atomics that it does not see either. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:uv_async_init\nrace:uv_loop_init\nrace:eventfd\nrace:librdkafka.so\n";
}

#if defined(__SANITIZE_THREAD__)
void sl_test_threads_stand_in(void); /* tsan_threads.c */
#else
static void sl_test_threads_stand_in(void) {}
#endif

int sl_test_run(const char *suite_name, const TTest *const *tests, size_t count)
{
    sl_test_threads_stand_in();
    Suite *suite = suite_create(suite_name);
    for (size_t i = 0; i < count; i++) {
        TCase *tcase = tcase_create(tests[i]->name);
        tcase_set_timeout(tcase, 240);
        tcase_add_test(tcase, tests[i]);
        suite_add_tcase(suite, tcase);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

#define MAX_DIRS 256
static char dirs[MAX_DIRS][256];
static int dir_count;

static void remove_dirs(void)
{
    for (int i = 0; i < dir_count; i++)
        nftw(dirs[i], remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *sl_test_dir(void)
{
    const char *base = getenv("TMPDIR");
    if (dir_count == MAX_DIRS) abort();
    char *dir = dirs[dir_count];
    snprintf(dir, sizeof dirs[0], "%s/sluice-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir)) abort();
    if (dir_count++ == 0) atexit(remove_dirs);
    return dir;
}
