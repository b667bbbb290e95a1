#include "check_main.h"
#include "conf_plugins.h"
#include "pipeline/conf_docs.h"
#include <sluice/json.h>
#include <stdio.h>

static sl_buf out;

static void expect(const char *part)
{
    ck_assert_msg(strstr(sl_buf_cstr(&out), part), "no\n%s\nin\n%s", part, sl_buf_cstr(&out));
}

START_TEST(conf_docs__the_schema_is_json_and_knows_every_row)
{
    sl_conf_docs_write_schema(&out);
    sl_tape tape = {0};
    ck_assert_int_eq(sl_json_index(&tape, sl_buf_span(&out)).error, SL_JSON_OK);
    sl_tape_release(&tape);
    expect("\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n");
    expect("\"read_from\": {\n");
    expect("\"max_records\": {\n");
    expect("\"max_size\": {\n");
    expect("\"data_dir\": {\n");
    expect("\"required\": [\n");                                     /* of tail: path */
    ck_assert_ptr_null(strstr(sl_buf_cstr(&out), "hash_key\": \"")); /* no value of a secret */
    sl_buf_release(&out);
}
END_TEST

START_TEST(conf_docs__the_reference_has_a_section_a_plugin)
{
    sl_conf_docs_write_reference(&out);
    expect("\n## Inputs\n");
    expect("\n### `tail`\n\nFollows files.\n\n| Option | Type | Default | Meaning |\n");
    expect(
        "| `max_line` | size, 256B to 256MiB | `1MiB` | Longer lines are cut there, marked and counted. |\n");
    expect("| `path` | list of text | *required* | Files to follow: paths or globs, `**` for any number of "
           "folders. May be given "
           "alone, in the place of the map. |\n");
    expect("| `read_from` | `start` or `end` | `start` |");
    expect("| `patterns[].regex` | regular expression | *required* |");
    expect("| `auth.password` | secret text | | Its password. |\n");
    expect("| `log.level` |");
    expect("| `fsync` | duration, `batch` or `off`, 1ms to 1h | `1s` |");
    expect("| `request.max_records` |");
    expect("### `stdin`\n\nReads standard input.\n\nNo options.\n");
    ck_assert(out.len > 2 && memcmp(out.ptr + out.len - 2, "\n\n", 2) != 0);
    sl_buf_release(&out);
}
END_TEST

START_TEST(conf_docs__a_terminal_gets_lines_that_fit)
{
    sl_conf_docs_print_plugins(&out);
    expect("input    tail             Follows files.\n");
    sl_buf_clear(&out);
    sl_conf_docs_print_plugin(&out, &conf_plugins[0], 50);
    expect("input tail: Follows files.\n\n");
    expect("  path  list of text, required\n"
           "      Files to follow: paths or globs, `**` for\n"
           "      any number of folders. May be given alone,\n"
           "      in the place of the map.\n");
    sl_buf_release(&out);
}
END_TEST

SL_TEST_MAIN("conf_docs", conf_docs__the_schema_is_json_and_knows_every_row,
             conf_docs__the_reference_has_a_section_a_plugin, conf_docs__a_terminal_gets_lines_that_fit)
