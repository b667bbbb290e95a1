/* conf_docs.c: schema and reference of the whole configuration.
 *
 * Beside the rows only the frame is written here: sections, pipelines, and that a use is a map of one key.
 */
#include "conf_docs.h"
#include "../config/schema.h"
#include "../plugin/registry.h"
#include "pipeline_conf_int.h"
#include <sluice/json.h>

static const sl_plugin_kind kinds[] = {SL_PLUGIN_INPUT, SL_PLUGIN_FILTER, SL_PLUGIN_OUTPUT};

/* Calls fn for each plugin of one kind. */
typedef struct visit {
    sl_plugin_kind kind;
    sl_buf *out;
    void (*fn)(struct visit *v, const sl_plugin *plugin);
    size_t seen;
} visit;

static bool pass_on(void *arg, const sl_plugin *plugin)
{
    visit *v = arg;
    if (plugin->kind != v->kind) return true;
    v->fn(v, plugin);
    v->seen++;
    return true;
}

static void each_of_kind(sl_plugin_kind kind, sl_buf *out, void (*fn)(visit *v, const sl_plugin *plugin))
{
    visit v = {kind, out, fn, 0};
    sl_registry_each(pass_on, &v);
}

/* The tables that together are the options of a use; named: it may have the option `name`. */
static size_t tables_of(const sl_plugin *plugin, bool named, const sl_option *tables[3])
{
    size_t count = 0;
    tables[count++] = plugin->options;
    if (plugin->kind == SL_PLUGIN_OUTPUT) tables[count++] = sl_delivery_options;
    if (named && plugin->kind != SL_PLUGIN_FILTER && !sl_options_find(plugin->options, SL_SPAN("name")))
        tables[count++] = plugin->kind == SL_PLUGIN_INPUT ? sl_conf__input_rows : sl_conf__output_rows;
    return count;
}

/* ---- schema ---- */

static void write_use(visit *v, const sl_plugin *plugin)
{
    const sl_option *tables[3];
    size_t count = tables_of(plugin, true, tables);
    if (v->seen) sl_buf_append_char(v->out, ',');
    sl_json_write_string(v->out, sl_span_of(plugin->name));
    sl_buf_append_cstr(v->out, ":{\"description\":");
    sl_json_write_string(v->out, sl_span_of(plugin->help));
    sl_buf_append_cstr(v->out, ",\"anyOf\":[");
    sl_schema_write_options(v->out, tables, count);
    const sl_option *main_row = sl_options_main(plugin->options);
    if (main_row) sl_buf_append_cstr(v->out, ",{\"$ref\":\"#/$defs/text\"}");
    if (main_row && (main_row->flags & SL_OPT_LIST)) sl_buf_append_cstr(v->out, ",{\"type\":\"array\"}");
    sl_buf_append_cstr(v->out, "]}");
}

static void write_kind(sl_buf *out, sl_plugin_kind kind)
{
    sl_buf_printf(
        out,
        ",\"%s\":{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1,\"additionalProperties\":false,"
        "\"properties\":{",
        sl_plugin_kind_name(kind));
    each_of_kind(kind, out, write_use);
    sl_buf_append_cstr(out, "}}");
}

static void write_section(sl_buf *out, const char *key, const char *kind)
{
    sl_buf_printf(
        out,
        ",\"%s\":{\"description\":\"%s that several pipelines may name.\",\"type\":[\"object\",\"null\"],"
        "\"additionalProperties\":{\"$ref\":\"#/$defs/%s\"}}",
        key, key[0] == 'i' ? "Inputs" : "Outputs", kind);
}

static void write_use_list(sl_buf *out, const char *key, const char *kind, bool by_name)
{
    const char *item = by_name ? "{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/%s\"}]}"
                               : "{\"$ref\":\"#/$defs/%s\"}";
    sl_buf_printf(out, "\"%s\":{\"anyOf\":[", key);
    sl_buf_printf(out, item, kind);
    sl_buf_append_cstr(out, ",{\"type\":\"array\",\"items\":");
    sl_buf_printf(out, item, kind);
    sl_buf_append_cstr(out, "}]},");
}

static void write_pipeline(sl_buf *out)
{
    const sl_option *buffer = sl_conf__buffer_rows;
    sl_buf_append_cstr(out, ",\"pipeline\":{\"type\":\"object\",\"required\":[\"inputs\",\"outputs\"],"
                            "\"additionalProperties\":false,\"properties\":{");
    write_use_list(out, "inputs", "input", true);
    write_use_list(out, "filters", "filter", false);
    write_use_list(out, "outputs", "output", true);
    sl_buf_append_cstr(out, "\"buffer\":");
    sl_schema_write_options(out, &buffer, 1);
    sl_buf_append_cstr(out, "}}");
}

/* Valid JSON again, two spaces a level. */
static void indent(sl_buf *out, sl_span json)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i], next = i + 1 < json.len ? json.ptr[i + 1] : '\0';
        if (in_string) {
            sl_buf_append_char(out, c);
            if (c == '\\') sl_buf_append_char(out, json.ptr[++i]);
            in_string = c != '"';
            continue;
        }
        in_string = c == '"';
        bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
        bool empty = (opens && (next == '}' || next == ']')) ||
                     (closes && (json.ptr[i - 1] == '{' || json.ptr[i - 1] == '['));
        depth += opens;
        depth -= closes;
        if (closes && !empty) sl_buf_printf(out, "\n%*s", (int)depth * 2, "");
        sl_buf_append_char(out, c);
        if ((opens && !empty) || c == ',') sl_buf_printf(out, "\n%*s", (int)depth * 2, "");
        if (c == ':') sl_buf_append_char(out, ' ');
    }
}

void sl_conf_docs_write_schema(sl_buf *out)
{
    const sl_option *service = sl_conf__service_rows;
    sl_buf json = SL_BUF_NONE;
    sl_buf_append_cstr(
        &json, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"sluice\","
               "\"description\":\"Configuration of sluice. Made by `sluice schema`.\",\"type\":\"object\","
               "\"additionalProperties\":false,\"required\":[\"pipelines\"],\"properties\":{\"service\":");
    sl_schema_write_options(&json, &service, 1);
    write_section(&json, "inputs", "input");
    write_section(&json, "outputs", "output");
    sl_buf_append_cstr(&json, ",\"pipelines\":{\"type\":\"object\",\"minProperties\":1,"
                              "\"additionalProperties\":{\"$ref\":\"#/$defs/pipeline\"}}},\"$defs\":{");
    sl_schema_write_definitions(&json);
    for (size_t i = 0; i < SL_LEN(kinds); i++)
        write_kind(&json, kinds[i]);
    write_pipeline(&json);
    sl_buf_append_cstr(&json, "}}");
    indent(out, sl_buf_span(&json));
    sl_buf_append_char(out, '\n');
    sl_buf_release(&json);
}

/* ---- reference ---- */

static void write_plugin_section(visit *v, const sl_plugin *plugin)
{
    sl_buf_printf(v->out, "### `%s`\n\n%s\n\n", plugin->name, plugin->help);
    if (!plugin->options || plugin->options[0].type == SL_OPT_NONE)
        sl_buf_append_cstr(v->out, "No options.\n");
    else
        sl_reference_write_options(v->out, &plugin->options, 1);
    sl_buf_append_char(v->out, '\n');
}

static void write_common(sl_buf *out, sl_plugin_kind kind)
{
    const sl_option *input[] = {sl_conf__input_rows};
    const sl_option *output[] = {sl_conf__output_rows, sl_delivery_options};
    if (kind == SL_PLUGIN_FILTER) return;
    sl_buf_printf(out, "Every %s has these beside its own:\n\n", sl_plugin_kind_name(kind));
    if (kind == SL_PLUGIN_INPUT)
        sl_reference_write_options(out, input, SL_LEN(input));
    else
        sl_reference_write_options(out, output, SL_LEN(output));
    sl_buf_append_char(out, '\n');
}

static const char reference_head[] =
    "# Configuration reference\n"
    "\n"
    "Made by `sluice plugins --markdown` from the option rows that also read the configuration; do not "
    "edit.\n"
    "[sluice.yaml](sluice.yaml) is a commented example, [schema.json](schema.json) the same as a JSON schema "
    "for editors.\n"
    "\n"
    "Sizes are written `64MiB`, `10kB` or in plain bytes, durations `5s`, `100ms`, `1h30m` or `7d`, "
    "fractions `5%` or `0.05`.\n"
    "Where a list is asked for, a single value will do. `${VAR}` and `${VAR:-default}` in a value stand for "
    "an environment\n"
    "variable, `${file:/run/secrets/name}` for the content of a file, `$$` for a `$`.\n"
    "\n";

static const char reference_language[] =
    "## Fields, conditions, templates\n"
    "\n"
    "A **field path** is `user.email`, `headers[\"x-api-key\"]`, `tags[0]`, `@timestamp`. A plain name is "
    "letters, digits, `_ - @ $ /`\n"
    "and whatever is not ASCII; any other stands in brackets and quotes: `[\"user.name\"]` is a key with a "
    "dot in it. Where a key stands\n"
    "twice, the last one is read.\n"
    "\n"
    "A **condition** compares fields with constants, `level in [\"warn\", \"error\"] and not (url startswith "
    "\"/health\")`:\n"
    "\n"
    "| Operator | Holds for |\n"
    "| --- | --- |\n"
    "| `==` `!=` | texts, numbers, `true`, `false`, `null`. Numbers by value, `1` is `1.0`; integers of any "
    "length exactly. `!= null`: it is there and not null. |\n"
    "| `<` `<=` `>` `>=` | numbers, or texts byte by byte |\n"
    "| `in [\"a\", 1, null]` | what is equal to one of them |\n"
    "| `~ \"regex\"` | texts in which the regular expression (PCRE2) matches anywhere. In YAML's single "
    "quotes backslashes stay as they are. |\n"
    "| `contains` `startswith` `endswith` | texts, `path startswith \"/api\"` |\n"
    "| `exists(user.id)` | fields that are there, also when null |\n"
    "\n"
    "`not` binds closest, then `and`, then `or`; brackets help. Types count: a field that is missing, or "
    "holds a value of another type,\n"
    "makes every comparison false, `!=` too: with `status: \"200\"`, neither `status == 200` nor `status != "
    "200` holds, and\n"
    "`not (status == 200)` does. What could never hold, `a < true`, is an error when the configuration is "
    "checked.\n"
    "\n"
    "A **template** is text with strftime's `%Y %m %d %H %M %S %j %y %e` (of the record's time, in UTC), "
    "`%L` (milliseconds), `%%`, and fields:\n"
    "`{{ user.id }}`, `{{ user.id | \"nobody\" }}`. A field that is missing, null, an object or an array "
    "leaves the whole template without a value,\n"
    "unless a default stands behind it.\n"
    "\n"
    "A **time** is recognised in the forms of ISO 8601 and RFC 3339, `2024-05-01T12:34:56.789+02:00`, "
    "`2024-05-01 12:34:56,789`,\n"
    "`20240501T123456Z`, `2024-05-01`; and as a number since the epoch, by the digits before its point: 9 or "
    "10 are seconds, 12 or 13\n"
    "milliseconds, 15 or 16 microseconds, 18 or 19 nanoseconds.\n"
    "\n";

void sl_conf_docs_write_reference(sl_buf *out)
{
    const sl_option *service = sl_conf__service_rows, *buffer = sl_conf__buffer_rows;
    static const char *const titles[] = {"Inputs", "Filters", "Outputs"};
    sl_buf_append_cstr(out, reference_head);
    sl_buf_append_cstr(out, reference_language);
    sl_buf_append_cstr(out, "## `service`\n\n");
    sl_reference_write_options(out, &service, 1);
    sl_buf_append_cstr(out, "\n## `pipelines.<name>.buffer`\n\n");
    sl_reference_write_options(out, &buffer, 1);
    for (size_t i = 0; i < SL_LEN(kinds); i++) {
        sl_buf_printf(out, "\n## %s\n\n", titles[i]);
        write_common(out, kinds[i]);
        each_of_kind(kinds[i], out, write_plugin_section);
        out->len--; /* one empty line between sections, none at the end */
    }
}

/* ---- terminal ---- */

static void print_line(visit *v, const sl_plugin *plugin)
{
    sl_buf_printf(v->out, "%-8s %-16s %s\n", sl_plugin_kind_name(plugin->kind), plugin->name, plugin->help);
}

void sl_conf_docs_print_plugins(sl_buf *out)
{
    for (size_t i = 0; i < SL_LEN(kinds); i++)
        each_of_kind(kinds[i], out, print_line);
}

void sl_conf_docs_print_plugin(sl_buf *out, const sl_plugin *plugin, unsigned width)
{
    const sl_option *tables[3];
    size_t count = tables_of(plugin, true, tables);
    sl_buf_printf(out, "%s %s: %s\n\n", sl_plugin_kind_name(plugin->kind), plugin->name, plugin->help);
    sl_options_print(out, tables, count, width);
}
