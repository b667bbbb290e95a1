/* yaml_tree.c: libyaml's events to a tree.
 *
 * The file is untrusted. Depth is bounded before each descent. What aliases stand for is bounded by counting,
 * for each node, the bytes it takes with its aliases written out: whoever walks the tree without looking for
 * shared nodes does at most SL_MAX_YAML_EXPANDED work. An anchor is known only once its node is complete, so
 * no node can hold itself.
 *
 * A syntax error ends the file (libyaml can't go on); every other problem is noted and reading goes on.
 */
#include "yaml_tree.h"
#include "env_subst.h"
#include "secrets.h"
#include "yaml_int.h"
#include <stdio.h>

#define NODE_COST 64 /* bytes that a node counts beside its text */

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the present one */
    sl_arena *arena;
    sl_problems *problems;
    const char *file;
    sl_yaml__names anchors; /* numbers: places in anchored */
    sl_buf anchored;        /* of sl_node * */
    bool substitute;
    bool failed; /* a syntax error or a limit: nothing more is read */
} reader;

static sl_mark mark_at(const reader *r, yaml_mark_t start, yaml_mark_t end)
{
    return (sl_mark){r->file, (uint32_t)start.line + 1, (uint32_t)start.column + 1, (uint32_t)end.line + 1,
                     (uint32_t)end.column + 1};
}

static sl_mark mark_of_event(const reader *r)
{
    return mark_at(r, r->event.start_mark, r->event.end_mark);
}

static void step(reader *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event)) return;
    memset(&r->event, 0, sizeof r->event);
    sl_yaml__report(&r->parser, r->file, r->problems);
    r->failed = true;
}

static sl_node *stop(reader *r, sl_mark mark, const char *hint, const char *text)
{
    sl_problems_error(r->problems, mark, hint, "%s", text);
    sl_problems_hide_by_name(r->problems, r->file);
    r->failed = true;
    return NULL;
}

static sl_node *new_node(reader *r, sl_node_type type)
{
    sl_node *node = sl_arena_zalloc(r->arena, sizeof *node);
    node->type = type;
    node->mark = mark_of_event(r);
    node->expanded = NODE_COST;
    return node;
}

/* Counts child as part of node; false when the limits are passed. */
static bool take_in(reader *r, sl_node *node, const sl_node *child)
{
    node->expanded += child->expanded;
    if (child->height + 1 > node->height) node->height = child->height + 1;
    if (node->expanded > SL_MAX_YAML_EXPANDED)
        stop(r, child->mark, "use fewer or smaller aliases (`*name`), or split the file",
             "the file holds too many values: more than 16MiB with its aliases written out");
    return !r->failed;
}

static void remember_anchor(reader *r, const yaml_char_t *name, sl_node *node)
{
    if (!name || !node) return;
    uint32_t number = (uint32_t)(r->anchored.len / sizeof node);
    sl_yaml__names_set(&r->anchors, sl_arena_dup(r->arena, sl_span_of((const char *)name)), number);
    sl_buf_append(&r->anchored, &node, sizeof node);
}

static void refuse_tag(reader *r, const yaml_char_t *tag)
{
    if (!tag) return;
    sl_problems_error(r->problems, mark_of_event(r),
                      "leave the tag out; put text that looks like a number into quotes",
                      "YAML tags (`!…`) are not supported");
}

static sl_node *read_node(reader *r, unsigned depth);

/* ---- scalars ---- */

/* Where in the file the byte `at` of a scalar's value stands: exact for a value written on one line without
 * escapes. */
static sl_mark mark_inside(const sl_node *node, size_t at, size_t len)
{
    sl_mark mark = node->mark;
    if (mark.line != mark.end_line) return mark;
    uint32_t before = node->quoted ? 1 : 0, width = 0;
    for (size_t i = 0; i < at + len && i < node->text.len; i++) {
        if (((unsigned char)node->text.ptr[i] & 0xC0) == 0x80) continue;
        *(i < at ? &before : &width) += 1;
    }
    if (mark.column + before + width > mark.end_column) return mark;
    mark.column += before;
    mark.end_column = mark.column + width;
    return mark;
}

/* Nothing but one `${…}`, without a default: it tells where a value is, not what. */
static bool is_reference(sl_span text)
{
    return sl_span_starts_with(text, SL_SPAN("${")) && sl_span_find(text, SL_SPAN("}"), 0) + 1 == text.len &&
           sl_span_find(text, SL_SPAN(":-"), 0) == text.len;
}

static void substitute(reader *r, sl_node *node)
{
    sl_subst result;
    size_t at = 0, len = 0;
    const char *hint = NULL;
    sl_err err = SL_ERR_NONE;
    node->reference = is_reference(node->text);
    int rc = sl_env_subst(node->text, r->arena, &result, &at, &len, &hint, &err);
    node->substituted = result.changed || rc < 0;
    node->secret = result.secret;
    node->bad = rc < 0;
    if (rc < 0)
        sl_problems_error(r->problems, mark_inside(node, at, len), hint, "%s", err.text);
    else
        node->text = result.text;
}

static sl_node *read_scalar(reader *r)
{
    sl_node *node = new_node(r, SL_NODE_SCALAR);
    const char *value = (const char *)r->event.data.scalar.value;
    size_t len = r->event.data.scalar.length;
    node->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = (sl_span){sl_arena_strndup(r->arena, value, len), len};
    node->expanded += len;
    refuse_tag(r, r->event.data.scalar.tag);
    node->bad = memchr(value, '\0', len) != NULL;
    if (node->bad)
        sl_problems_error(r->problems, node->mark, "a NUL byte can't stand in a path, name or expression",
                          "the value holds a NUL byte");
    if (r->substitute && !node->bad) {
        substitute(r, node);
        node->expanded += node->text.len;
    }
    remember_anchor(r, r->event.data.scalar.anchor, node);
    step(r);
    return node;
}

static sl_node *read_alias(reader *r)
{
    sl_span name = sl_span_of((const char *)r->event.data.alias.anchor);
    sl_node *node = NULL;
    uint32_t number;
    if (sl_yaml__names_find(&r->anchors, name, &number)) {
        node = ((sl_node **)r->anchored.ptr)[number];
    } else {
        sl_problems_error(r->problems, mark_of_event(r),
                          "an anchor (`&name`) must be complete before the line that uses it",
                          "there is no anchor for the alias `*" SL_SPAN_FMT "`", SL_SPAN_ARG(name));
        node = new_node(r, SL_NODE_SCALAR); /* stands for what is missing */
        node->text = SL_SPAN("");
        node->bad = true;
    }
    step(r);
    return node;
}

/* ---- lists ---- */

static sl_node *read_list(reader *r, unsigned depth)
{
    sl_node *node = new_node(r, SL_NODE_LIST);
    const char *name = (const char *)r->event.data.sequence_start.anchor;
    const yaml_char_t *anchor_name =
        name ? (yaml_char_t *)sl_arena_strndup(r->arena, name, strlen(name)) : NULL;
    refuse_tag(r, r->event.data.sequence_start.tag);
    sl_buf items = SL_BUF_NONE; /* of sl_node * */
    step(r);
    while (!r->failed && r->event.type != YAML_SEQUENCE_END_EVENT) {
        sl_node *item = read_node(r, depth + 1);
        if (!item || !take_in(r, node, item)) break;
        sl_buf_append(&items, &item, sizeof item);
        node->count++;
    }
    if (!r->failed) {
        node->items = (sl_node **)sl_arena_dup(r->arena, sl_buf_span(&items)).ptr;
        node->mark.end_line = (uint32_t)r->event.end_mark.line + 1;
        node->mark.end_column = (uint32_t)r->event.end_mark.column + 1;
        remember_anchor(r, anchor_name, node);
        step(r);
    }
    sl_buf_release(&items);
    return r->failed ? NULL : node;
}

/* ---- maps ---- */

typedef struct map_work {
    sl_node *node;
    sl_buf members;       /* of sl_member */
    sl_yaml__names names; /* numbers: places in members */
    sl_node *merge;       /* value of `<<`; NULL: none */
    sl_mark merge_mark;
} map_work;

static bool has_member(const map_work *work, sl_span key)
{
    uint32_t number;
    return sl_yaml__names_find(&work->names, key, &number);
}

static const sl_member *find_member(const map_work *work, sl_span key)
{
    uint32_t number;
    if (!sl_yaml__names_find(&work->names, key, &number)) return NULL;
    return (const sl_member *)work->members.ptr + number;
}

static void add_member(reader *r, map_work *work, sl_member member)
{
    if (work->node->count == SL_MAX_YAML_MEMBERS) {
        stop(r, member.mark, "split it", "the map has more than 4096 keys");
        return;
    }
    sl_buf_append(&work->members, &member, sizeof member);
    sl_yaml__names_set(&work->names, member.key, work->node->count++);
    work->node->expanded += member.key.len;
    take_in(r, work->node, member.value);
}

static void merge_one(reader *r, map_work *work, const sl_node *from)
{
    if (from->type != SL_NODE_MAP) {
        sl_problems_error(r->problems, work->merge_mark, "write `<<: *name` or `<<: [*name, *other]`",
                          "`<<` takes in a map or a list of maps");
        return;
    }
    for (uint32_t i = 0; i < from->count && !r->failed; i++) {
        if (!has_member(work, from->members[i].key)) add_member(r, work, from->members[i]);
    }
}

static void merge(reader *r, map_work *work)
{
    if (!work->merge) return;
    if (work->merge->type != SL_NODE_LIST) {
        merge_one(r, work, work->merge);
        return;
    }
    for (uint32_t i = 0; i < work->merge->count && !r->failed; i++)
        merge_one(r, work, work->merge->items[i]);
}

/* The key at the present event; stepped over. False: no usable key was there and reading can't go on. */
static bool read_key(reader *r, sl_member *member, bool *is_merge)
{
    if (r->event.type != YAML_SCALAR_EVENT) {
        stop(r, mark_of_event(r),
             "write `key: value`; if `{` or `[` belongs to a text, put the text into quotes",
             "a key must be plain text");
        return false;
    }
    size_t len = r->event.data.scalar.length;
    member->key = (sl_span){sl_arena_strndup(r->arena, (char *)r->event.data.scalar.value, len), len};
    member->mark = mark_of_event(r);
    *is_merge =
        r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && sl_span_is(member->key, SL_SPAN("<<"));
    refuse_tag(r, r->event.data.scalar.tag);
    if (memchr(member->key.ptr, '\0', len))
        sl_problems_error(r->problems, member->mark, NULL, "the key holds a NUL byte");
    step(r);
    return !r->failed;
}

/* The value of a key that stands twice is read only to get past it; nobody will say whether it is a secret.
 */
static void refuse_twice(reader *r, const sl_member *first, const sl_member *again)
{
    sl_problems_hide(r->problems, again->value->mark);
    char hint[80];
    snprintf(hint, sizeof hint, "it was first written in line %u; keep one of them", first->mark.line);
    sl_problems_error(r->problems, again->mark, hint, "the key `" SL_SPAN_FMT "` stands twice in this map",
                      SL_SPAN_ARG(again->key));
}

static void read_member(reader *r, map_work *work, unsigned depth)
{
    sl_member member;
    bool is_merge;
    if (!read_key(r, &member, &is_merge)) return;
    member.value = read_node(r, depth + 1);
    if (!member.value) return;
    const sl_member *first = find_member(work, member.key);
    if (sl_key_is_secret(member.key) && !member.value->reference)
        sl_problems_hide(r->problems, member.value->mark);
    if (first || (is_merge && work->merge)) {
        const sl_member earlier = {member.key, work->merge_mark, work->merge};
        refuse_twice(r, first ? first : &earlier, &member);
    } else if (is_merge) {
        work->merge = member.value;
        work->merge_mark = member.mark;
    } else {
        add_member(r, work, member);
    }
}

static sl_node *read_map(reader *r, unsigned depth)
{
    map_work work = {.node = new_node(r, SL_NODE_MAP)};
    const char *name = (const char *)r->event.data.mapping_start.anchor;
    const yaml_char_t *anchor_name =
        name ? (yaml_char_t *)sl_arena_strndup(r->arena, name, strlen(name)) : NULL;
    refuse_tag(r, r->event.data.mapping_start.tag);
    step(r);
    while (!r->failed && r->event.type != YAML_MAPPING_END_EVENT)
        read_member(r, &work, depth);
    if (!r->failed) merge(r, &work);
    if (!r->failed) {
        work.node->members = (sl_member *)sl_arena_dup(r->arena, sl_buf_span(&work.members)).ptr;
        work.node->mark.end_line = (uint32_t)r->event.end_mark.line + 1;
        work.node->mark.end_column = (uint32_t)r->event.end_mark.column + 1;
        remember_anchor(r, anchor_name, work.node);
        step(r);
    }
    sl_buf_release(&work.members);
    sl_yaml__names_release(&work.names);
    return r->failed ? NULL : work.node;
}

/* ---- the document ---- */

static sl_node *read_node(reader *r, unsigned depth)
{
    if (r->failed) return NULL;
    sl_node *node = NULL;
    switch (r->event.type) {
    case YAML_SCALAR_EVENT: return read_scalar(r);
    case YAML_ALIAS_EVENT: node = read_alias(r); break;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        if (depth == SL_MAX_YAML_DEPTH)
            return stop(r, mark_of_event(r),
                        "nothing in a configuration nests that deep: look for a stray bracket",
                        "maps and lists are nested more than 64 deep");
        return r->event.type == YAML_MAPPING_START_EVENT ? read_map(r, depth) : read_list(r, depth);
    default: sl_bug("unexpected YAML event %d", r->event.type);
    }
    if (node && depth + node->height > SL_MAX_YAML_DEPTH)
        return stop(r, node->mark, "use fewer aliases (`*name`) inside each other",
                    "maps and lists are nested more than 64 deep with aliases written out");
    return r->failed ? NULL : node;
}

static sl_node *read_document(reader *r)
{
    step(r); /* stream start */
    if (!r->failed) step(r);
    if (r->failed) return NULL;
    if (r->event.type == YAML_STREAM_END_EVENT) return new_node(r, SL_NODE_MAP);
    step(r); /* document start */
    sl_node *root = read_node(r, 0);
    if (!r->failed) step(r); /* document end */
    if (!r->failed && r->event.type != YAML_STREAM_END_EVENT)
        return stop(r, mark_of_event(r), "put it into a file of its own and name both with -c",
                    "a second document starts here; a file holds one");
    return r->failed ? NULL : root;
}

sl_node *sl_yaml_parse(sl_arena *arena, const char *file, sl_span text, bool substitute_env,
                       sl_problems *problems)
{
    reader r = {.arena = arena, .problems = problems, .file = file, .substitute = substitute_env};
    if (text.len > SL_MAX_YAML_FILE)
        return stop(&r, (sl_mark){.file = file}, "split it and name each part with -c",
                    "the file has more than 4MiB");
    if (!yaml_parser_initialize(&r.parser)) sl_bug("out of memory for the YAML parser");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
    sl_node *root = read_document(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    sl_yaml__names_release(&r.anchors);
    sl_buf_release(&r.anchored);
    return root;
}
