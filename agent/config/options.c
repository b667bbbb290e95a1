/* options.c: tables of rows: finding the row of each key, groups, lists, defaults, what is missing and what
 * is unknown.
 *
 * Recursion follows the rows' own nesting (GROUP inside GROUP), which the program fixes, not the file's.
 */
#include "options.h"
#include "options_int.h"
#include "suggest.h"
#include <sluice/http.h> /* SL_OPT_INLINE */
#include <stdio.h>

#define MAX_WHERE 160

/* ---- finding rows ---- */

/* Where a row was found: its base is the struct its offset counts from. */
typedef struct place {
    const sl_option *row;
    char *base;
} place;

/* Calls fn for each row of a table, those of INLINE tables in their place; fn returns false to stop. */
static bool each_row(const sl_option *rows, char *base, bool (*fn)(void *arg, place at), void *arg)
{
    for (const sl_option *row = rows; row && row->type != SL_OPT_NONE; row++) {
        bool go_on = row->type == SL_OPT_INLINE
                         ? each_row(row->rows, base ? base + row->offset : NULL, fn, arg)
                         : fn(arg, (place){row, base});
        if (!go_on) return false;
    }
    return true;
}

typedef struct search {
    sl_span name; /* ptr NULL: the row flagged MAIN */
    place hit;
} search;

static bool is_match(void *arg, place at)
{
    search *s = arg;
    bool match = s->name.ptr ? sl_span_is_cstr(s->name, at.row->name) : (at.row->flags & SL_OPT_MAIN) != 0;
    if (match) s->hit = at;
    return !match;
}

static place find_place(const sl_option_target *targets, size_t count, sl_span name)
{
    search s = {name, {NULL, NULL}};
    for (size_t i = 0; i < count && !s.hit.row; i++)
        each_row(targets[i].rows, targets[i].conf, is_match, &s);
    return s.hit;
}

const sl_option *sl_options_find(const sl_option *rows, sl_span name)
{
    search s = {name.ptr ? name : SL_SPAN(""), {NULL, NULL}};
    each_row(rows, NULL, is_match, &s);
    return s.hit.row;
}

const sl_option *sl_options_main(const sl_option *rows)
{
    search s = {SL_SPAN_NONE, {NULL, NULL}};
    each_row(rows, NULL, is_match, &s);
    return s.hit.row;
}

static bool is_open(void *arg, place at)
{
    (void)arg;
    return !sl_option_holds_secret(at.row);
}

bool sl_option_holds_secret(const sl_option *row)
{
    if (row->type == SL_OPT_SECRET) return true;
    return row->type == SL_OPT_GROUP && !each_row(row->rows, NULL, is_open, NULL);
}

/* ---- unknown keys ---- */

typedef struct unknown {
    sl_suggest suggest;
    sl_buf names;       /* all of them, for when nothing is near */
    const char *inside; /* the group that has an option of exactly this name */
    bool secret;        /* some row of the table is, or holds, a secret */
} unknown;

static bool compare_row(void *arg, place at)
{
    unknown *u = arg;
    sl_suggest_offer(&u->suggest, at.row->name);
    sl_buf_printf(&u->names, u->names.len ? ", `%s`" : "`%s`", at.row->name);
    if (at.row->type == SL_OPT_GROUP && sl_options_find(at.row->rows, u->suggest.word))
        u->inside = at.row->name;
    u->secret |= sl_option_holds_secret(at.row);
    return true;
}

static void refuse_unknown(const sl_option_context *ctx, const sl_member *member, const char *where,
                           const sl_option_target *targets, size_t count)
{
    unknown u = {sl_suggest_for(member->key), SL_BUF_NONE, NULL, false};
    for (size_t i = 0; i < count; i++)
        each_row(targets[i].rows, NULL, compare_row, &u);
    /* Where an option may be a secret, this may be one under a wrong name. */
    if (u.secret || member->value->type != SL_NODE_SCALAR) sl_option__hide(ctx, member->value);
    sl_buf hint = SL_BUF_NONE;
    if (u.inside)
        sl_buf_printf(&hint, "it belongs inside `%s: {…}`", u.inside);
    else if (u.suggest.best)
        sl_buf_printf(&hint, "did you mean `%s`?", u.suggest.best);
    else if (u.names.len)
        sl_buf_printf(&hint, "its options are " SL_SPAN_FMT, SL_SPAN_ARG(u.names));
    else
        sl_buf_append_cstr(&hint, "it has no options: write `{}`");
    sl_problems_error(ctx->problems, member->mark, sl_buf_cstr(&hint), "`%.64s` is not an option of %s",
                      member->key.ptr, where);
    sl_buf_release(&u.names);
    sl_buf_release(&hint);
}

/* ---- values ---- */

static void read_row(const sl_option_context *ctx, place at, const sl_node *node);

static void read_group(const sl_option_context *ctx, const sl_option *row, const sl_node *node, void *conf)
{
    char where[MAX_WHERE];
    snprintf(where, sizeof where, "`%s`", row->name);
    sl_option_target target = {row->rows, conf};
    sl_options_read(ctx, node, node->mark, where, &target, 1);
}

static void read_single(const sl_option_context *ctx, const sl_option *row, const sl_node *node, void *field)
{
    if (row->type == SL_OPT_GROUP)
        read_group(ctx, row, node, field);
    else
        sl_option__read_value(ctx, row, node, field);
}

static void read_list(const sl_option_context *ctx, const sl_option *row, const sl_node *node, sl_list *list)
{
    sl_node *single = (sl_node *)node;
    sl_node **items = node->type == SL_NODE_LIST ? node->items : &single;
    size_t count = node->type == SL_NODE_LIST ? node->count : 1, size = sl_option__size(row);
    if (count > SL_MAX_OPTION_ITEMS) {
        sl_problems_error(ctx->problems, node->mark, NULL, "`%s` has %zu items; at most %d are allowed",
                          row->name, count, SL_MAX_OPTION_ITEMS);
        return;
    }
    if (count == 0 && (row->flags & SL_OPT_REQUIRED))
        sl_problems_error(ctx->problems, node->mark, "write at least one item", "the list `%s` is empty",
                          row->name);
    char *first = sl_arena_zalloc(&ctx->memory->arena, count ? count * size : 1);
    *list = (sl_list){first, count};
    for (size_t i = 0; i < count; i++)
        read_single(ctx, row, items[i], first + i * size);
}

static void read_row(const sl_option_context *ctx, place at, const sl_node *node)
{
    void *field = at.base + at.row->offset;
    if (at.row->type != SL_OPT_GROUP && sl_node_is_null(node) && at.row->type != SL_OPT_JSON)
        sl_problems_error(ctx->problems, node->mark,
                          "write the value, or remove the line; empty text is `\"\"`", "`%s` has no value",
                          at.row->name);
    else if (at.row->flags & SL_OPT_LIST)
        read_list(ctx, at.row, node, field);
    else
        read_single(ctx, at.row, node, field);
}

/* ---- defaults ---- */

/* The row's default as a node, in the context's memory. Plain scalars, which nearly all are, go without
 * libyaml: a list of groups reads the same defaults for each item. */
static sl_node *default_node(const sl_option_context *ctx, const sl_option *row)
{
    if (!strchr("[{\"'", row->def[0])) {
        sl_node *node = sl_arena_zalloc(&ctx->memory->arena, sizeof *node);
        node->text = sl_span_of(row->def);
        return node;
    }
    sl_node *node =
        sl_yaml_parse(&ctx->memory->arena, "(default)", sl_span_of(row->def), false, ctx->problems);
    if (!node) sl_bug("the default of option `%s` is not YAML: %s", row->name, row->def);
    return node;
}

static bool read_default(void *arg, place at)
{
    const sl_option_context *ctx = arg;
    sl_assert(at.base != NULL);
    if (at.row->def) {
        read_row(ctx, at, default_node(ctx, at.row));
    } else if (at.row->type == SL_OPT_GROUP && !(at.row->flags & SL_OPT_LIST)) {
        each_row(at.row->rows, at.base + at.row->offset, read_default, arg);
    } else if (at.row->type == SL_OPT_STRING || at.row->type == SL_OPT_SECRET) {
        if (!(at.row->flags & SL_OPT_LIST)) *(sl_span *)(at.base + at.row->offset) = SL_SPAN("");
    }
    return true;
}

static void read_defaults(const sl_option_context *ctx, const sl_option_target *targets, size_t count)
{
    size_t errors = sl_problems_errors(ctx->problems);
    for (size_t i = 0; i < count; i++)
        each_row(targets[i].rows, targets[i].conf, read_default, (void *)ctx);
    if (sl_problems_errors(ctx->problems) != errors) {
        sl_buf out = SL_BUF_NONE;
        sl_problems_print(ctx->problems, &out);
        sl_bug("a default in the table of `%s` is wrong: %s", targets[0].rows->name, sl_buf_cstr(&out));
    }
}

/* ---- tables ---- */

typedef struct missing {
    const sl_option_context *ctx;
    const sl_option_target *targets;
    size_t count;
    const sl_node *map;     /* NULL: nothing was written */
    const sl_option *given; /* the row that a value without a key went to, or NULL */
    sl_mark mark;
    const char *where;
} missing;

/* Whether a key of the map that is no option was, as its message said, meant to be this one. */
static bool is_misspelt(const missing *m, const sl_option *row)
{
    for (uint32_t i = 0; m->map && m->map->type == SL_NODE_MAP && i < m->map->count; i++) {
        sl_span key = m->map->members[i].key;
        if (find_place(m->targets, m->count, key).row) continue;
        unknown u = {sl_suggest_for(key), SL_BUF_NONE, NULL, false};
        for (size_t t = 0; t < m->count; t++)
            each_row(m->targets[t].rows, NULL, compare_row, &u);
        sl_buf_release(&u.names);
        if (u.suggest.best && strcmp(u.suggest.best, row->name) == 0) return true;
    }
    return false;
}

static bool report_missing(void *arg, place at)
{
    const missing *m = arg;
    if (!(at.row->flags & SL_OPT_REQUIRED) || at.row == m->given) return true;
    if (m->map && sl_node_find(m->map, at.row->name)) return true;
    if (is_misspelt(m, at.row)) return true;
    sl_buf hint = SL_BUF_NONE;
    const char *example = sl_option_example(at.row);
    sl_buf_printf(&hint, "add `%s: %s`. %s", at.row->name, example ? example : "…", at.row->help);
    sl_problems_error(m->ctx->problems, m->mark, sl_buf_cstr(&hint), "%s needs the option `%s`", m->where,
                      at.row->name);
    sl_buf_release(&hint);
    return true;
}

static void read_map(const sl_option_context *ctx, const sl_node *map, const char *where,
                     const sl_option_target *targets, size_t count)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const sl_member *member = &map->members[i];
        place at = find_place(targets, count, member->key);
        if (!at.row) {
            refuse_unknown(ctx, member, where, targets, count);
            continue;
        }
        read_row(ctx, at, member->value);
        if (at.row->set_offset) *(bool *)(at.base + at.row->set_offset) = true;
    }
}

static void refuse_bare_value(const sl_option_context *ctx, const sl_node *node, const char *where,
                              const sl_option_target *targets, size_t count)
{
    sl_buf hint = SL_BUF_NONE;
    unknown u = {sl_suggest_for(SL_SPAN("")), SL_BUF_NONE, NULL, false};
    for (size_t i = 0; i < count; i++) {
        each_row(targets[i].rows, NULL, compare_row, &u);
    }
    if (u.secret) sl_option__hide(ctx, node);
    sl_buf_printf(&hint, "write `{option: value}`, or `{}` for none; its options are " SL_SPAN_FMT,
                  SL_SPAN_ARG(u.names));
    sl_problems_error(ctx->problems, node->mark, sl_buf_cstr(&hint), "%s takes a map of options, not %s",
                      where, sl_node_noun(node));
    sl_buf_release(&u.names);
    sl_buf_release(&hint);
}

void sl_options_read(const sl_option_context *ctx, const sl_node *node, sl_mark mark, const char *where,
                     const sl_option_target *targets, size_t count)
{
    read_defaults(ctx, targets, count);
    missing m = {ctx, targets, count, node, NULL, mark, where};
    if (!node || sl_node_is_null(node)) {
        m.map = NULL;
    } else if (node->type == SL_NODE_MAP) {
        read_map(ctx, node, where, targets, count);
    } else {
        place main_place = find_place(targets, count, SL_SPAN_NONE);
        bool takes_it =
            main_place.row && (node->type == SL_NODE_SCALAR || (main_place.row->flags & SL_OPT_LIST) ||
                               main_place.row->type == SL_OPT_JSON);
        if (!takes_it) {
            if (!node->bad) refuse_bare_value(ctx, node, where, targets, count);
            return;
        }
        read_row(ctx, main_place, node);
        if (main_place.row->set_offset) *(bool *)(main_place.base + main_place.row->set_offset) = true;
        m.given = main_place.row;
    }
    for (size_t i = 0; i < count; i++)
        each_row(targets[i].rows, targets[i].conf, report_missing, &m);
}
