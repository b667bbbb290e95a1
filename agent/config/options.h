/* options.h: option rows and a YAML node to a filled struct.
 *
 * Every problem is added to the context's problems with its place and advice, and reading goes on: a struct
 * is always whole (what could not be read has its default), but is to be used only when no error was added.
 */
#ifndef SLUICE_CONFIG_OPTIONS_H
#define SLUICE_CONFIG_OPTIONS_H

#include "conf_memory.h"
#include "problems.h"
#include "yaml_tree.h"
#include <sluice/option.h>

#define SL_MAX_OPTION_ITEMS 10000 /* of one list */

typedef struct sl_option_context {
    sl_problems *problems;
    sl_conf_memory *memory; /* owns whatever the values point to */
} sl_option_context;

/* A table of rows and the zeroed struct that their offsets count from. */
typedef struct sl_option_target {
    const sl_option *rows;
    void *conf;
} sl_option_target;

/* Reads `node` into the targets, whose rows together are the options of one map. node: a map; or a value for
 * the row flagged MAIN; or nothing (NULL or a YAML null), then all defaults. mark: where a missing option is
 * reported. where: how messages call the owner of the options: "input `tail`". */
void sl_options_read(const sl_option_context *ctx, const sl_node *node, sl_mark mark, const char *where,
                     const sl_option_target *targets, size_t count);

/* The row of this name in a table (INLINE tables are looked into), or NULL. */
const sl_option *sl_options_find(const sl_option *rows, sl_span name);
/* The row flagged MAIN, or NULL. */
const sl_option *sl_options_main(const sl_option *rows);
/* Whether the value of this row, or of one inside it, is a secret. */
bool sl_option_holds_secret(const sl_option *row);

/* What a value of the row's type is called ("a size", "`start` or `end`") and how one looks ("64MiB"; NULL:
 * nothing to show). The noun is appended. */
void sl_option_write_noun(const sl_option *row, sl_buf *out);
const char *sl_option_example(const sl_option *row);

/* A node as JSON text: unquoted true, false, null and numbers as they are, every other scalar a string. */
void sl_node_write_json(const sl_node *node, sl_buf *out);

/* Tests: whether a table is well formed: names in snake_case and unique, help there, defaults that can be
 * read and are in range, at most one MAIN, fields that lie inside the struct and do not overlap. SL_E_CONFIG
 * with the row's name. */
int sl_options_check(const sl_option *rows, size_t conf_size, sl_err *err);

#endif
