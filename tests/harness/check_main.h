/* check_main.h: what every unit test shares: one suite a file, run and reported.
 *
 *   START_TEST(buf__grows_by_half) { … } END_TEST
 *   SL_TEST_MAIN("buf", buf__grows_by_half, buf__prints)
 */
#ifndef SLUICE_CHECK_MAIN_H
#define SLUICE_CHECK_MAIN_H

#include <check.h>
#include <stddef.h>

int sl_test_run(const char *suite_name, const TTest *const *tests, size_t count);

#define SL_TEST_MAIN(suite_name, ...)                                                                        \
    int main(void)                                                                                           \
    {                                                                                                        \
        const TTest *const tests[] = {__VA_ARGS__};                                                          \
        return sl_test_run(suite_name, tests, sizeof tests / sizeof tests[0]);                               \
    }

/* A new empty folder under $TMPDIR, removed with all in it when the process ends. Static storage of the
 * call's own: copy it. */
const char *sl_test_dir(void);

#endif
