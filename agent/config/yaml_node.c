/* yaml_node.c: asking nodes. */
#include "yaml_tree.h"

const sl_member *sl_node_find(const sl_node *map, const char *key)
{
    if (map->type != SL_NODE_MAP) return NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        if (sl_span_is_cstr(map->members[i].key, key)) return &map->members[i];
    }
    return NULL;
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
