/* option_lint.c: whether a table of rows is well formed. For tests: a table that fails here is a bug of its
 * plugin. */
#include "options_int.h"
#include <sluice/http.h> /* SL_OPT_INLINE */
#include <stdlib.h>

#define MAX_FIELDS 512 /* rows of one table, those of its INLINE tables included */

typedef struct field {
    size_t from, to;
    const char *name;
} field;

typedef struct lint {
    field fields[MAX_FIELDS];
    size_t count;
    size_t mains;
    size_t conf_size;
    sl_err *err;
} lint;

static int fail(lint *l, const char *name, const char *what)
{
    return sl_err_set(l->err, SL_E_CONFIG, "option `%s`: %s", name, what);
}

static int add_field(lint *l, const char *name, size_t from, size_t size)
{
    if (l->count == MAX_FIELDS) return fail(l, name, "too many rows in one table");
    if (size > l->conf_size || from > l->conf_size - size)
        return fail(l, name, "its field is outside the struct");
    for (size_t i = 0; i < l->count; i++) {
        if (from < l->fields[i].to && l->fields[i].from < from + size)
            return sl_err_set(l->err, SL_E_CONFIG, "option `%s`: its field overlaps that of `%s`", name,
                              l->fields[i].name);
        if (strcmp(l->fields[i].name, name) == 0) return fail(l, name, "the name stands twice");
    }
    l->fields[l->count++] = (field){from, from + size, name};
    return 0;
}

static bool is_snake_case(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len && name[0] != '_' &&
           name[len - 1] != '_';
}

static bool has_range(const sl_option *row)
{
    return row->min != 0 || row->max != 0;
}

static const char *check_row(const sl_option *row)
{
    bool number = row->type == SL_OPT_INT || row->type == SL_OPT_FLOAT || row->type == SL_OPT_SIZE ||
                  row->type == SL_OPT_DURATION || row->type == SL_OPT_FRACTION;
    bool words = row->type == SL_OPT_INT || row->type == SL_OPT_DURATION;
    bool list = row->flags & SL_OPT_LIST, group = row->type == SL_OPT_GROUP;
    if (!is_snake_case(row->name)) return "the name is not in snake_case";
    if (!row->help || !*row->help) return "it has no help";
    if (row->help[strlen(row->help) - 1] != '.') return "its help does not end with a full stop";
    if (row->type == SL_OPT_ENUM && (!row->names || !row->names[0])) return "an ENUM needs names";
    if (row->names && row->type != SL_OPT_ENUM && !words) return "names are for ENUM, INT and DURATION";
    if (row->names && words && row->min < 0) return "words and negative values can't be told apart";
    if (has_range(row) && !number) return "a range is for numbers";
    if (row->max != 0 && row->min > row->max) return "min is larger than max";
    if (group != (row->rows != NULL)) return "rows are for GROUP, which needs them";
    if (group && list && !row->row_size) return "a list of groups needs row_size";
    if ((row->flags & SL_OPT_UNIQUE) && (row->type != SL_OPT_STRING || list)) return "UNIQUE is for a STRING";
    if ((row->flags & SL_OPT_FILE) && (row->type != SL_OPT_STRING || list)) return "FILE is for a STRING";
    if ((row->flags & SL_OPT_REQUIRED) && row->def) return "what is required has no default";
    return NULL;
}

/* Reads the default as a configuration would. */
static int check_default(lint *l, const sl_option *row)
{
    if (!row->def) return 0;
    sl_problems *problems = sl_problems_new();
    sl_option_context ctx = {problems, sl_conf_memory_new()};
    sl_span text = sl_span_of(row->def);
    sl_node *node = sl_yaml_parse(&ctx.memory->arena, "(default)", text, false, problems);
    for (uint32_t i = 0, n = node && node->type == SL_NODE_LIST ? node->count : node ? 1 : 0; i < n; i++) {
        void *value = sl_arena_zalloc(&ctx.memory->arena, sl_option__size(row) + sizeof(sl_list));
        if (row->type != SL_OPT_GROUP)
            sl_option__read_value(&ctx, row, node->type == SL_NODE_LIST ? node->items[i] : node, value);
    }
    sl_buf out = SL_BUF_NONE;
    sl_problems_print(problems, &out);
    int rc = 0;
    if (sl_problems_errors(problems))
        rc = sl_err_set(l->err, SL_E_CONFIG, "option `%s`: its default is wrong: %s", row->name,
                        sl_buf_cstr(&out));
    sl_buf_release(&out);
    sl_conf_memory_free(ctx.memory);
    sl_problems_free(problems);
    return rc;
}

static int check_table(lint *l, const sl_option *rows, size_t base);

/* The size of the field in its struct; of a group in place, what its rows reach to is checked by itself. */
static int check_field(lint *l, const sl_option *row, size_t base)
{
    size_t size = sl_option__size(row);
    if (row->flags & SL_OPT_LIST) size = sizeof(sl_list);
    if (row->type == SL_OPT_GROUP && !(row->flags & SL_OPT_LIST)) {
        /* Its fields are part of this struct: outside it or over a neighbour they show as such. Names are its
         * own. */
        lint inner = {.conf_size = l->conf_size - base - row->offset, .err = l->err};
        if (row->offset + base > l->conf_size) return fail(l, row->name, "its field is outside the struct");
        int rc = check_table(&inner, row->rows, 0);
        size = 0;
        for (size_t i = 0; i < inner.count; i++)
            size = inner.fields[i].to > size ? inner.fields[i].to : size;
        if (rc < 0) return rc;
    }
    return add_field(l, row->name, base + row->offset, size);
}

static int check_table(lint *l, const sl_option *rows, size_t base)
{
    for (const sl_option *row = rows; row && row->type != SL_OPT_NONE; row++) {
        int rc = 0;
        if (row->type == SL_OPT_INLINE) {
            rc = check_table(l, row->rows, base + row->offset);
        } else {
            const char *wrong = check_row(row);
            l->mains += (row->flags & SL_OPT_MAIN) != 0;
            if (wrong) return fail(l, row->name, wrong);
            if (l->mains > 1) return fail(l, row->name, "a second row is flagged MAIN");
            rc = check_field(l, row, base);
            if (rc == 0) rc = check_default(l, row);
            if (rc == 0 && row->type == SL_OPT_GROUP && (row->flags & SL_OPT_LIST))
                rc = sl_options_check(row->rows, row->row_size, l->err);
        }
        if (rc < 0) return rc;
    }
    return 0;
}

int sl_options_check(const sl_option *rows, size_t conf_size, sl_err *err)
{
    lint l = {.conf_size = conf_size, .err = err};
    return check_table(&l, rows, 0);
}
