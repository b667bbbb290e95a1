#include "check_main.h"
#include "config/options.h"
#include "filters.h"
#include "records.h"

extern const sl_plugin sl_filter_edit;

START_TEST(edit__options_are_well_formed)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_options_check(sl_filter_edit.options, sl_filter_edit.conf_size, &err) == 0, "%s",
                  err.text);
}
END_TEST

START_TEST(edit__changes_fields)
{
    static const struct {
        const char *yaml, *line, *after;
    } cases[] = {
        /* set */
        {"{set: {env: production}}", "{\"a\":1}", "{\"a\":1,\"env\":\"production\"}\n"},
        {"{set: {env: production}}", "{\"env\":\"x\"}", "{\"env\":\"production\"}\n"},
        {"{set: {n: 5, t: true, z: null, f: 1.50, l: [1, \"{{ a }}\"], s: \"5\"}}", "{}",
         "{\"n\":5,\"t\":true,\"z\":null,\"f\":1.50,\"l\":[1,\"{{ a }}\"],\"s\":\"5\"}\n"},
        {"{set: {user.id: 7}}", "{}", "{\"user\":{\"id\":7}}\n"},
        {"{set: {user.id: 7}}", "{\"user\":\"u\"}", "{\"user\":\"u\"}\n"},
        {"{set: {'[\"a.b\"]': 7}}", "{}", "{\"a.b\":7}\n"},
        {"{set: {full: \"{{ first }} {{ last }}\"}}", "{\"first\":\"A\",\"last\":\"B \\\"b\\\"\"}",
         "{\"first\":\"A\",\"last\":\"B \\\"b\\\"\",\"full\":\"A B \\\"b\\\"\"}\n"},
        {"{set: {full: \"{{ first }} {{ last }}\"}}", "{\"first\":\"A\"}", "{\"first\":\"A\"}\n"},
        {"{set: {full: \"{{ last | 'none' }}\"}}", "{}", "{\"full\":\"none\"}\n"},
        {"{set: {day: \"%Y-%m-%d\"}}", "{}", "{\"day\":\"2024-05-01\"}\n"},
        {"{set: {b: \"{{ a }}\", c: \"{{ b }}\"}}", "{\"a\":1}", "{\"a\":1,\"b\":\"1\",\"c\":\"1\"}\n"},
        {"{set: {p: \"100%%\"}}", "{}", "{\"p\":\"100%\"}\n"},
        /* default */
        {"{default: {level: info}}", "{}", "{\"level\":\"info\"}\n"},
        {"{default: {level: info}}", "{\"level\":null}", "{\"level\":\"info\"}\n"},
        {"{default: {level: info}}", "{\"level\":\"warn\"}", "{\"level\":\"warn\"}\n"},
        {"{default: {level: info}}", "{\"level\":false}", "{\"level\":false}\n"},
        {"{default: {level: \"{{ lvl }}\"}}", "{\"lvl\":\"x\"}", "{\"lvl\":\"x\",\"level\":\"x\"}\n"},
        /* rename, copy */
        {"{rename: {msg: message}}", "{\"msg\":\"a\\tb\",\"n\":1}", "{\"n\":1,\"message\":\"a\\tb\"}\n"},
        {"{rename: {msg: message}}", "{\"n\":1}", "{\"n\":1}\n"},
        {"{rename: {msg: message}}", "{\"msg\":1,\"message\":2}", "{\"message\":1}\n"},
        {"{rename: {a.b: c.d}}", "{\"a\":{\"b\":[1,{\"x\":2}]}}", "{\"a\":{},\"c\":{\"d\":[1,{\"x\":2}]}}\n"},
        {"{rename: {a: b.c}}", "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}\n"}, /* not lost when it can't be */
        {"{rename: {a: b, b: c}}", "{\"a\":1}", "{\"c\":1}\n"},
        {"{rename: {a: a2, a.x: y}}", "{\"a\":{\"x\":1}}", "{\"a2\":{\"x\":1}}\n"},
        {"{copy: {a: b}}", "{\"a\":{\"x\":1.10}}", "{\"a\":{\"x\":1.10},\"b\":{\"x\":1.10}}\n"},
        {"{copy: {a: b}}", "{\"c\":1}", "{\"c\":1}\n"},
        {"{copy: {\"@timestamp\": time}}", "{}", "{\"time\":\"2024-05-01T12:34:56.789Z\"}\n"},
        /* remove */
        {"{remove: [a, b.c]}", "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "{\"b\":{\"d\":3}}\n"},
        {"{remove: a}", "{\"a\":1,\"a\":2}", "{}\n"},
        {"{remove: [a, b, c]}", "{\"c\":1,\"b\":2,\"a\":3}", "{}\n"},
        /* convert: int */
        {"{convert: {v: int}}", "{\"v\":\"42\"}", "{\"v\":42}\n"},
        {"{convert: {v: int}}", "{\"v\":\" -42 \"}", "{\"v\":-42}\n"},
        {"{convert: {v: int}}", "{\"v\":\"007\"}", "{\"v\":7}\n"},
        {"{convert: {v: int}}", "{\"v\":\"+7\"}", "{\"v\":7}\n"},
        {"{convert: {v: int}}", "{\"v\":\"-0\"}", "{\"v\":0}\n"},
        {"{convert: {v: int}}", "{\"v\":3.99}", "{\"v\":3}\n"},
        {"{convert: {v: int}}", "{\"v\":\"-3.99\"}", "{\"v\":-3}\n"},
        {"{convert: {v: int}}", "{\"v\":\"123456789012345678901234567890\"}",
         "{\"v\":123456789012345678901234567890}\n"},
        {"{convert: {v: int}}", "{\"v\":true}", "{\"v\":1}\n"},
        {"{convert: {v: int}}", "{\"v\":\"x\"}", "{\"v\":\"x\"}\n"},
        {"{convert: {v: int}}", "{\"v\":\"\"}", "{\"v\":\"\"}\n"},
        {"{convert: {v: int}}", "{\"v\":\"1e3\"}", "{\"v\":\"1e3\"}\n"},
        {"{convert: {v: int}}", "{\"v\":\"3.\"}", "{\"v\":\"3.\"}\n"},
        {"{convert: {v: int}}", "{\"v\":\"12ms\"}", "{\"v\":\"12ms\"}\n"},
        {"{convert: {v: int}}", "{\"v\":null}", "{\"v\":null}\n"},
        {"{convert: {v: int}}", "{\"v\":[1]}", "{\"v\":[1]}\n"},
        /* convert: float */
        {"{convert: {v: float}}", "{\"v\":\"1.50\"}", "{\"v\":1.50}\n"},
        {"{convert: {v: float}}", "{\"v\":\"1e3\"}", "{\"v\":1e3}\n"},
        {"{convert: {v: float}}", "{\"v\":\"+007.5\"}", "{\"v\":7.5}\n"},
        {"{convert: {v: float}}", "{\"v\":\"-00.5\"}", "{\"v\":-0.5}\n"},
        {"{convert: {v: float}}", "{\"v\":\"NaN\"}", "{\"v\":\"NaN\"}\n"},
        {"{convert: {v: float}}", "{\"v\":\"1.5.2\"}", "{\"v\":\"1.5.2\"}\n"},
        {"{convert: {v: float}}", "{\"v\":false}", "{\"v\":0}\n"},
        {"{convert: {v: float}}", "{\"v\":5}", "{\"v\":5}\n"},
        /* convert: bool */
        {"{convert: {v: bool}}", "{\"v\":\"TRUE\"}", "{\"v\":true}\n"},
        {"{convert: {v: bool}}", "{\"v\":\"off\"}", "{\"v\":false}\n"},
        {"{convert: {v: bool}}", "{\"v\":\"0\"}", "{\"v\":false}\n"},
        {"{convert: {v: bool}}", "{\"v\":0.0e5}", "{\"v\":false}\n"},
        {"{convert: {v: bool}}", "{\"v\":-2}", "{\"v\":true}\n"},
        {"{convert: {v: bool}}", "{\"v\":\"maybe\"}", "{\"v\":\"maybe\"}\n"},
        /* convert: string */
        {"{convert: {v: string}}", "{\"v\":1.50}", "{\"v\":\"1.50\"}\n"},
        {"{convert: {v: string}}", "{\"v\":true}", "{\"v\":\"true\"}\n"},
        {"{convert: {v: string}}", "{\"v\":\"s\"}", "{\"v\":\"s\"}\n"},
        {"{convert: {v: string}}", "{\"v\":{\"a\":[1,\"x\"]}}", "{\"v\":\"{\\\"a\\\":[1,\\\"x\\\"]}\"}\n"},
        /* order */
        {"{remove: [a], set: {b: \"{{ a }}\"}}", "{\"a\":1}", "{\"b\":\"1\"}\n"},
        {"{rename: {s: status}, convert: {status: int}, default: {status: 0}}", "{\"s\":\"404\"}",
         "{\"status\":404}\n"},
        {"[{remove: [a]}, {set: {a: new}}, {copy: {a: b}}]", "{\"a\":1}", "{\"a\":\"new\",\"b\":\"new\"}\n"},
        {"{steps: [{set: {x: 1}}], set: {y: 2}}", "{}", "{\"y\":2,\"x\":1}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_test_filter *filter = sl_test_filter_new(&sl_filter_edit, cases[i].yaml);
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, cases[i].line);
        sl_test_filter_apply(filter, batch);
        const char *after = sl_test_batch_sealed(batch);
        ck_assert_msg(strcmp(after, cases[i].after) == 0, "%s of %s: %s", cases[i].yaml, cases[i].line,
                      after);
        sl_test_filter_free(filter);
    }
}
END_TEST

START_TEST(edit__counts_what_it_did)
{
    sl_test_filter *filter = sl_test_filter_new(
        &sl_filter_edit, "{convert: {n: int}, set: {u.x: 1, t: \"{{ missing }}\"}, remove: [r]}");
    sl_batch *batch =
        sl_test_batch_parsed(NULL, 0, "{\"n\":\"5\",\"u\":1,\"r\":0}\n{\"n\":\"x\"}\n{\"n\":5}\n");
    sl_record_set_fate(batch, &batch->recs[2], SL_FATE_FILTERED, NULL);
    sl_test_filter_apply(filter, batch);
    ck_assert_uint_eq(sl_test_filter_count(filter, "operations_total", "changed"), 3);
    ck_assert_uint_eq(sl_test_filter_count(filter, "operations_total", "failed"), 2);
    ck_assert_uint_eq(sl_test_filter_count(filter, "operations_total", "nothing_to_do"), 3);
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"n\":5,\"u\":1}\n{\"n\":\"x\",\"u\":{\"x\":1}}\n");
    sl_test_filter_free(filter);
}
END_TEST

START_TEST(edit__makes_records_of_lines_and_keeps_names_single)
{
    sl_test_filter *filter =
        sl_test_filter_new(&sl_filter_edit, "{set: {host: me, \"@timestamp\": \"2020\"}, remove: [offset]}");
    sl_batch *batch =
        sl_test_batch_raw("\"host\":\"h\",\"file\":\"/a\"", SL_RECORD_COMMON | SL_RECORD_OFFSET, "line");
    sl_test_filter_apply(filter, batch);
    ck_assert_str_eq(sl_test_batch_written(batch),
                     "{\"host\":\"me\",\"file\":\"/a\",\"message\":\"line\",\"@timestamp\":\"2020\"}\n");
    sl_test_filter_free(filter);
}
END_TEST

START_TEST(edit__settings_that_can_not_be_are_refused)
{
    static const struct {
        const char *yaml, *error;
    } cases[] = {
        {"{}", "nothing to do"},
        {"{set: 5}", "option `set`: a map from fields to values is expected"},
        {"{set: {\"a..b\": 1}}", "option `set`: field \"a..b\": column 3"},
        {"{set: {a: \"{{ b\"}}", "option `set`: value of \"a\": column 1: this `{{` has no `}}`"},
        {"{set: {a: \"50%\"}}", "option `set`: value of \"a\": column 3: unknown `%` directive"},
        {"{convert: {a: number}}",
         "option `convert`: \"number\" is no type; take string, int, float or bool"},
        {"{rename: {a: a}}", "option `rename`: \"a\" and \"a\" are the same field"},
        {"{rename: {a: a.b}}", "the same field, or one is inside the other"},
        {"{rename: {a.b: a}}", "the same field, or one is inside the other"},
        {"{rename: {a.b: '[\"a\"][\"b\"]'}}", "the same field, or one is inside the other"},
        {"{copy: {\"a b\": c}}", "option `copy`: field \"a b\": column 2"},
        {"{renane: {a: b}}", "rename"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        const char *errors = "";
        ck_assert_msg(!sl_test_filter_try(&sl_filter_edit, cases[i].yaml, &errors), "%s", cases[i].yaml);
        ck_assert_msg(strstr(errors, cases[i].error) != NULL, "%s: %s", cases[i].yaml, errors);
    }
}
END_TEST

SL_TEST_MAIN("edit", edit__options_are_well_formed, edit__changes_fields, edit__counts_what_it_did,
             edit__makes_records_of_lines_and_keeps_names_single, edit__settings_that_can_not_be_are_refused)
