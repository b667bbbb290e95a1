/* option_json.c: a YAML node as JSON text. Depth and size are bounded by the tree's own limits. */
#include "options.h"
#include <sluice/json.h>

/* JSON's grammar of numbers, so that what is written is taken over digit by digit. */
static bool is_json_number(sl_span text)
{
    size_t i = 0, start;
    if (i < text.len && text.ptr[i] == '-') i++;
    start = i;
    while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
        i++;
    if (i == start || (text.ptr[start] == '0' && i - start > 1)) return false;
    if (i < text.len && text.ptr[i] == '.') {
        start = ++i;
        while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
            i++;
        if (i == start) return false;
    }
    if (i < text.len && (text.ptr[i] == 'e' || text.ptr[i] == 'E')) {
        i++;
        if (i < text.len && (text.ptr[i] == '+' || text.ptr[i] == '-')) i++;
        start = i;
        while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
            i++;
        if (i == start) return false;
    }
    return i == text.len;
}

static void write_scalar(const sl_node *node, sl_buf *out)
{
    bool literal = sl_span_is_cstr(node->text, "true") || sl_span_is_cstr(node->text, "false");
    if (sl_node_is_null(node))
        sl_buf_append_cstr(out, "null");
    else if (!node->quoted && (literal || is_json_number(node->text)))
        sl_buf_append_span(out, node->text);
    else
        sl_json_write_string(out, node->text);
}

void sl_node_write_json(const sl_node *node, sl_buf *out)
{
    if (node->type == SL_NODE_SCALAR) {
        write_scalar(node, out);
        return;
    }
    bool map = node->type == SL_NODE_MAP;
    sl_buf_append_char(out, map ? '{' : '[');
    for (uint32_t i = 0; i < node->count; i++) {
        if (i) sl_buf_append_char(out, ',');
        if (map) {
            sl_json_write_string(out, node->members[i].key);
            sl_buf_append_char(out, ':');
        }
        sl_node_write_json(map ? node->members[i].value : node->items[i], out);
    }
    sl_buf_append_char(out, map ? '}' : ']');
}
