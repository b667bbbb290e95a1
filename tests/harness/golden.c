/* golden.c: cases in files. */
#include "golden.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static void split(char *line, sl_golden_case *c)
{
    static char none[] = "";
    c->count = 0;
    for (char *save = NULL, *part = strtok_r(line, "\t", &save); part; part = strtok_r(NULL, "\t", &save)) {
        ck_assert_msg(c->count < SL_GOLDEN_PARTS, "%s:%d has too many parts", c->file, c->line);
        c->part[c->count++] = part;
    }
    for (int i = c->count; i < SL_GOLDEN_PARTS; i++)
        c->part[i] = none;
}

bool sl_golden_wrong(const sl_golden_case *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "%s:%d: ", c->file, c->line);
    vfprintf(stderr, fmt, args);
    fprintf(stderr, "\n");
    va_end(args);
    return false;
}

int sl_golden_each(const char *path, int min_parts, bool (*check)(const sl_golden_case *c))
{
    char name[512];
    snprintf(name, sizeof(name), "%s/tests/golden/%s", SLUICE_SOURCE_DIR, path);
    FILE *file = fopen(name, "r");
    ck_assert_msg(file != NULL, "cannot open %s", name);
    char *line = NULL;
    size_t cap = 0;
    int cases = 0, wrong = 0;
    sl_golden_case c = {.file = path};
    for (ssize_t len; (len = getline(&line, &cap, file)) >= 0;) {
        c.line++;
        if (len > 0 && line[len - 1] == '\n') line[--len] = '\0';
        if (len == 0 || strncmp(line, "# ", 2) == 0) continue;
        split(line, &c);
        ck_assert_msg(c.count >= min_parts, "%s:%d has %d parts instead of %d", path, c.line, c.count,
                      min_parts);
        wrong += !check(&c);
        if (wrong == 20) break;
        cases++;
    }
    free(line);
    fclose(file);
    ck_assert_msg(wrong == 0, "%d of the first %d cases of %s are wrong", wrong, cases, path);
    return cases;
}
