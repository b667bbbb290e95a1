/* yaml_tree.h: a YAML file as a tree of nodes, each with its place.
 *
 * One document of maps, lists and scalars. Aliases (`*x`) share the node of their anchor (`&x`), and `<<`
 * takes in the members of a map that are not written beside it; both are bounded, so that a small file can't
 * stand for a huge one. Refused with a clear error: keys that are no plain text or stand twice in a map, tags
 * (`!!str`), a second document, NUL bytes, anything over the limits below.
 * `${…}` in values is replaced on the way (env_subst.h).
 */
#ifndef SLUICE_CONFIG_YAML_TREE_H
#define SLUICE_CONFIG_YAML_TREE_H

#include "problems.h"

#define SL_MAX_YAML_FILE  (4u * 1024 * 1024) /* bytes of a file */
#define SL_MAX_YAML_DEPTH 64                 /* maps and lists inside each other */
#define SL_MAX_YAML_EXPANDED                                                                                 \
    (16u * 1024 * 1024) /* bytes of all values (64 each and their text) with every alias written out */
#define SL_MAX_YAML_MEMBERS 4096 /* of one map */

typedef enum sl_node_type { SL_NODE_SCALAR, SL_NODE_LIST, SL_NODE_MAP } sl_node_type;

typedef struct sl_node {
    sl_node_type type;
    bool quoted;      /* scalar: in quotes or a block (| >), so always text */
    bool substituted; /* scalar: holds something from the environment or a file: not to be repeated in
                         messages */
    bool secret;      /* scalar: holds something from a file: never to be shown */
    bool reference;   /* scalar: nothing but one `${…}` without a default: its source line shows no value */
    bool bad;         /* scalar: what is wrong with it has been noted; its text means nothing */
    sl_mark mark;
    sl_span text;              /* scalar: its value, NUL-terminated behind its end */
    struct sl_node **items;    /* list: `count` nodes */
    struct sl_member *members; /* map: `count` members, in the order written, merged ones last */
    uint32_t count;
    uint32_t height;   /* levels below */
    uint64_t expanded; /* bytes, with aliases written out */
} sl_node;

typedef struct sl_member {
    sl_span key; /* NUL-terminated behind its end */
    sl_mark mark;
    sl_node *value;
} sl_member;

/* The tree of one file's text; all of it lives in the arena. NULL: `problems` says why. An empty text is an
 * empty map. `file` is kept by pointer in every mark. substitute: replace `${…}`. The text must have been
 * added to `problems` as a source. */
sl_node *sl_yaml_parse(sl_arena *arena, const char *file, sl_span text, bool substitute,
                       sl_problems *problems);

const sl_member *sl_node_find(const sl_node *map, const char *key); /* NULL: not a map or no such key */
const sl_member *sl_node_find_span(const sl_node *map, sl_span key);
/* Nothing was written: `key:`, `~` or `null`. */
bool sl_node_is_null(const sl_node *node);
/* What a node is, for messages: "a map", "a list", "a single value", "nothing". */
const char *sl_node_noun(const sl_node *node);
/* Where text quotes a value of the node, or of one below it, that came from the environment or a file, `***`
 * takes its place; also where the text was cut inside the value. */
void sl_node_hide_values(const sl_node *node, sl_buf *text);

#endif
