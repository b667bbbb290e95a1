/* schema.c: option rows as JSON schema. What the schema accepts is what sl_options_read() accepts, as far as
 * a schema can say it: units and ranges of numbers are in it, the syntax of conditions and the like is not.
 */
#include "schema.h"
#include "options.h"
#include "yaml_tree.h"
#include <sluice/http.h> /* SL_OPT_INLINE */
#include <sluice/json.h>

static void write_table(sl_buf *out, const sl_option *rows, bool *first);
static void write_required(sl_buf *out, const sl_option *rows, bool *first);

void sl_schema_write_definitions(sl_buf *out)
{
    /* A scalar of any kind may come from the environment. */
    sl_buf_append_cstr(
        out,
        "\"reference\":{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{[^}]*\\\\}\"},"
        "\"boolean\":{\"anyOf\":[{\"type\":\"boolean\"},{\"$ref\":\"#/$defs/reference\"}]},"
        "\"size\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"type\":\"string\",\"pattern\":"
        "\"^[0-9]+(\\\\.[0-9]+)?(B|[kMGT]B|[KMGT]iB)?$\"},{\"$ref\":\"#/$defs/reference\"}]},"
        "\"duration\":{\"anyOf\":[{\"const\":0},{\"type\":\"string\",\"pattern\":"
        "\"^(0|([0-9]+(\\\\.[0-9]+)?(w|d|h|m|s|ms|us|ns))+)$\"},{\"$ref\":\"#/$defs/reference\"}]},"
        "\"fraction\":{\"anyOf\":[{\"type\":\"number\",\"minimum\":0,\"maximum\":1},{\"type\":\"string\","
        "\"pattern\":\"^[0-9]+(\\\\.[0-9]+)?%$\"},{\"$ref\":\"#/$defs/reference\"}]},"
        "\"text\":{\"type\":[\"string\",\"number\",\"boolean\"]}");
}

static void write_range(sl_buf *out, const sl_option *row)
{
    if (row->min == 0 && row->max == 0) return;
    sl_buf_append_cstr(out, ",\"minimum\":");
    sl_json_write_double(out, row->min);
    if (row->max == 0) return;
    sl_buf_append_cstr(out, ",\"maximum\":");
    sl_json_write_double(out, row->max);
}

static void write_names(sl_buf *out, const sl_option *row)
{
    sl_buf_append_cstr(out, "{\"enum\":[");
    for (const char *const *name = row->names; *name; name++) {
        if (name != row->names) sl_buf_append_char(out, ',');
        sl_json_write_string(out, sl_span_of(*name));
    }
    sl_buf_append_cstr(out, "]}");
}

static void write_group(sl_buf *out, const sl_option *row)
{
    const sl_option *main_row = sl_options_main(row->rows);
    if (main_row) {
        sl_buf_append_cstr(out, "{\"anyOf\":[{\"$ref\":\"#/$defs/text\"},");
        if (main_row->flags & SL_OPT_LIST) sl_buf_append_cstr(out, "{\"type\":\"array\"},");
    }
    sl_schema_write_options(out, &row->rows, 1);
    if (main_row) sl_buf_append_cstr(out, "]}");
}

/* One value, LIST left aside. */
static void write_value(sl_buf *out, const sl_option *row)
{
    switch (row->type) {
    case SL_OPT_BOOL: sl_buf_append_cstr(out, "{\"$ref\":\"#/$defs/boolean\"}"); break;
    case SL_OPT_SIZE: sl_buf_append_cstr(out, "{\"$ref\":\"#/$defs/size\"}"); break;
    case SL_OPT_DURATION: sl_buf_append_cstr(out, "{\"$ref\":\"#/$defs/duration\"}"); break;
    case SL_OPT_FRACTION: sl_buf_append_cstr(out, "{\"$ref\":\"#/$defs/fraction\"}"); break;
    case SL_OPT_INT:
    case SL_OPT_FLOAT:
        sl_buf_printf(out, "{\"anyOf\":[{\"type\":\"%s\"", row->type == SL_OPT_INT ? "integer" : "number");
        write_range(out, row);
        sl_buf_append_cstr(out, "},{\"$ref\":\"#/$defs/reference\"}]}");
        break;
    case SL_OPT_ENUM:
        sl_buf_append_cstr(out, "{\"anyOf\":[");
        write_names(out, row);
        sl_buf_append_cstr(out, ",{\"$ref\":\"#/$defs/reference\"}]}");
        break;
    case SL_OPT_JSON: sl_buf_append_cstr(out, "{}"); break;
    case SL_OPT_GROUP: write_group(out, row); break;
    case SL_OPT_MAP:
        sl_buf_append_cstr(out, "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/text\"}}");
        break;
    default: sl_buf_append_cstr(out, "{\"$ref\":\"#/$defs/text\"}");
    }
}

static void write_default(sl_buf *out, const sl_option *row)
{
    if (!row->def) return;
    sl_arena arena = SL_ARENA_NONE;
    sl_problems *problems = sl_problems_new();
    sl_node *node = sl_yaml_parse(&arena, "(default)", sl_span_of(row->def), false, problems);
    if (!node) sl_bug("the default of option `%s` is not YAML: %s", row->name, row->def);
    sl_buf_append_cstr(out, ",\"default\":");
    sl_node_write_json(node, out);
    sl_problems_free(problems);
    sl_arena_release(&arena);
}

static void write_row(sl_buf *out, const sl_option *row)
{
    bool list = row->flags & SL_OPT_LIST, words = row->names && row->type != SL_OPT_ENUM;
    sl_json_write_string(out, sl_span_of(row->name));
    sl_buf_append_cstr(out, ":{\"description\":");
    sl_json_write_string(out, sl_span_of(row->help));
    write_default(out, row);
    sl_buf_append_cstr(out, ",\"anyOf\":[");
    write_value(out, row);
    if (words) {
        sl_buf_append_char(out, ',');
        write_names(out, row);
    }
    if (list) {
        sl_buf_append_cstr(out, ",{\"type\":\"array\",\"items\":");
        write_value(out, row);
        if (row->flags & SL_OPT_REQUIRED) sl_buf_append_cstr(out, ",\"minItems\":1");
        sl_buf_append_char(out, '}');
    }
    sl_buf_append_cstr(out, "]}");
}

static void write_table(sl_buf *out, const sl_option *rows, bool *first)
{
    for (const sl_option *row = rows; row && row->type != SL_OPT_NONE; row++) {
        if (row->type == SL_OPT_INLINE) {
            write_table(out, row->rows, first);
            continue;
        }
        if (!*first) sl_buf_append_char(out, ',');
        *first = false;
        write_row(out, row);
    }
}

static void write_required(sl_buf *out, const sl_option *rows, bool *first)
{
    for (const sl_option *row = rows; row && row->type != SL_OPT_NONE; row++) {
        if (row->type == SL_OPT_INLINE) write_required(out, row->rows, first);
        if (!(row->flags & SL_OPT_REQUIRED)) continue;
        if (!*first) sl_buf_append_char(out, ',');
        *first = false;
        sl_json_write_string(out, sl_span_of(row->name));
    }
}

void sl_schema_write_options(sl_buf *out, const sl_option *const *tables, size_t count)
{
    bool first = true;
    sl_buf_append_cstr(out, "{\"type\":[\"object\",\"null\"],\"properties\":{");
    for (size_t i = 0; i < count; i++)
        write_table(out, tables[i], &first);
    sl_buf_append_cstr(out, "},\"required\":[");
    first = true;
    for (size_t i = 0; i < count; i++)
        write_required(out, tables[i], &first);
    sl_buf_append_cstr(out, "],\"additionalProperties\":false}");
}
