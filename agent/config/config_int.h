/* config_int.h: shared inside agent/config only. */
#ifndef SLUICE_CONFIG_INT_H
#define SLUICE_CONFIG_INT_H

#include "problems.h"

typedef struct sl_problem {
    sl_mark mark; /* file: the collection's own copy */
    const char *text;
    const char *hint; /* NULL: none */
    bool warning;
    uint32_t order;  /* in which they were found */
    uint32_t source; /* position of the file; UINT32_MAX: none */
} sl_problem;

typedef struct sl_source {
    const char *file;
    sl_span text;
    bool hide_by_name;
} sl_source;

struct sl_problems {
    sl_arena arena;
    sl_problem list[SL_MAX_PROBLEMS];
    size_t count;
    size_t errors, warnings; /* all, also those not kept */
    sl_source *sources;
    size_t source_count, source_cap;
    sl_mark *hidden;
    size_t hidden_count, hidden_cap;
};

/* problem_line.c: appends the source line of the problem and the line with its caret; nothing when there is
 * no such line. */
void sl_problem__show_line(const sl_problems *problems, const sl_problem *problem, sl_buf *out);

/* Length in bytes of the line break at text.ptr[at], as YAML 1.1 counts them; 0: none there. */
size_t sl_text__break(sl_span text, size_t at);
/* Length in bytes of the character at text.ptr[at]; 1 for a byte that is no UTF-8. */
size_t sl_text__char(sl_span text, size_t at);

#endif
