/* golden.h: cases in files. A case is a line; its parts stand between tabs, of which several in a row count
 * as one. Lines that are empty or begin with `# ` are left out. */
#ifndef SLUICE_TEST_GOLDEN_H
#define SLUICE_TEST_GOLDEN_H

#include <sluice/base.h>

#define SL_GOLDEN_PARTS 6

typedef struct sl_golden_case {
    const char *file;
    int line;
    int count;
    char *part[SL_GOLDEN_PARTS]; /* NUL-terminated; what is not there is "" */
} sl_golden_case;

/* Calls check for every case of tests/golden/<path>; returns how many there were. check returns false for a
 * case that is not right, after it printed why; all are printed before the test fails. A file that can't be
 * read or a case with fewer than min_parts fails it at once. */
int sl_golden_each(const char *path, int min_parts, bool (*check)(const sl_golden_case *c));
bool sl_golden_wrong(const sl_golden_case *c, const char *fmt, ...)
    SL_PRINTF(2, 3); /* prints, returns false */

#endif
