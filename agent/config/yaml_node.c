/* yaml_node.c: asking nodes. */
#include "secrets.h"
#include "yaml_tree.h"

#define MIN_HIDDEN 4 /* bytes; a shorter value is no secret, and stands in any sentence */

const sl_member *sl_node_find_span(const sl_node *map, sl_span key)
{
    if (map->type != SL_NODE_MAP) return NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        if (sl_span_is(map->members[i].key, key)) return &map->members[i];
    }
    return NULL;
}

const sl_member *sl_node_find(const sl_node *map, const char *key)
{
    return sl_node_find_span(map, sl_span_of(key));
}

bool sl_node_is_null(const sl_node *node)
{
    if (node->type != SL_NODE_SCALAR || node->quoted || node->substituted || node->bad) return false;
    return node->text.len == 0 || sl_span_is_cstr(node->text, "~") || sl_span_is_cstr(node->text, "null");
}

const char *sl_node_noun(const sl_node *node)
{
    if (node->type == SL_NODE_MAP) return "a map";
    if (node->type == SL_NODE_LIST) return "a list";
    if (sl_node_is_null(node)) return "nothing";
    return "a single value";
}

/* ---- values that nobody is to see ---- */

/* Bytes of the value that stand in text at `at`: all, or what the end of the text left of it; 0: none. */
static size_t quoted_at(sl_span text, size_t at, sl_span value)
{
    size_t rest = text.len - at, len = rest < value.len ? rest : value.len;
    return len >= MIN_HIDDEN && memcmp(text.ptr + at, value.ptr, len) == 0 ? len : 0;
}

static void hide_value(sl_span value, sl_buf *text)
{
    sl_buf shown = SL_BUF_NONE;
    sl_span given = sl_buf_span(text);
    for (size_t at = 0; at < given.len;) {
        size_t len = quoted_at(given, at, value);
        if (len)
            sl_buf_append_cstr(&shown, SL_SECRET_SHOWN);
        else
            sl_buf_append_char(&shown, given.ptr[at]);
        at += len ? len : 1;
    }
    sl_buf_release(text);
    *text = shown;
}

void sl_node_hide_values(const sl_node *node, sl_buf *text)
{
    if (node->type == SL_NODE_SCALAR) {
        if (node->substituted) hide_value(node->text, text);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++)
        sl_node_hide_values(node->type == SL_NODE_MAP ? node->members[i].value : node->items[i], text);
}
