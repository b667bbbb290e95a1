/* edit_int.h: what the files of the edit filter share. */
#ifndef SLUICE_EDIT_INT_H
#define SLUICE_EDIT_INT_H

#include <sluice/plugin.h>

/* One map of operations, as configured. */
typedef struct edit_ops {
    sl_list copy, rename;  /* sl_opt_pair: from, to */
    sl_list convert;       /* sl_opt_pair: field, type */
    sl_span defaults, set; /* JSON objects: field -> value; empty: none */
    sl_list remove;        /* sl_path * */
} edit_ops;

typedef enum edit_kind {
    EDIT_COPY,
    EDIT_RENAME,
    EDIT_CONVERT,
    EDIT_DEFAULT,
    EDIT_SET,
    EDIT_REMOVE
} edit_kind;

/* One operation on one field, ready to run. */
typedef struct edit_step {
    edit_kind kind;
    sl_convert type;   /* CONVERT */
    sl_path *path;     /* the field that is read or changed; owned */
    sl_path *to;       /* COPY, RENAME; owned */
    sl_span json;      /* SET, DEFAULT with a constant: JSON text; in the arena */
    sl_template *text; /* SET, DEFAULT with a template; owned */
} edit_step;

typedef struct edit_program {
    edit_step *steps;
    uint32_t count, cap;
    sl_arena arena;
} edit_program;

/* Adds the operations of one map to the program: copy, rename, convert, default, set, remove. 0 or
 * SL_E_CONFIG. */
int edit_compile(edit_program *program, const edit_ops *ops, sl_err *err);
void edit_program_release(edit_program *program);

#endif
