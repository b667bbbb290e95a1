/* The cases of tests/golden/redact: each file is lines of
 *
 *   options: <YAML flow map>     for the cases that follow
 *   in:  <JSON>                  a record
 *   out: <JSON>                  what it must become
 *   same: <JSON>                 a record that must not change
 *
 * and comments (#). Of every case it is besides asked: the result is valid JSON, and redacting it again
 * changes nothing; the same holds with every string spelled in other ways, inside an array, and, written as
 * JSON, inside a string. A line `not inside strings` before a case takes the last one out: what depends on
 * the place in the record.
 */
#include "check_main.h"
#include "json_random.h"
#include "redact_run.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER      SLUICE_SOURCE_DIR "/tests/golden/redact"
#define CASES_LEAST 300

typedef struct file {
    const char *name;
    unsigned line, cases, failures;
    redact_run *run;
    char *in;
    bool nowhere_else; /* `not inside strings` */
} file;

/* ---- one text ---------------------------------------------------------------------------------- */

static void fail_case(file *f, const char *what, sl_span in, sl_span want, sl_span got)
{
    f->failures++;
    printf("%s:%u: %s\n  in   " SL_SPAN_FMT "\n  want " SL_SPAN_FMT "\n  got  " SL_SPAN_FMT "\n", f->name,
           f->line, what, SL_SPAN_ARG(in), SL_SPAN_ARG(want), SL_SPAN_ARG(got));
}

/* Redacts, and redacts again: the second time must change nothing. */
static void redact_twice(file *f, sl_span in, sl_buf *out)
{
    bool changed;
    sl_buf normal = SL_BUF_NONE;

    sl_buf_clear(out);
    sl_buf_append_span(out, redact_run_text(f->run, in, &changed));
    if (!sl_test_json_normal(sl_buf_span(out), &normal))
        fail_case(f, "not valid JSON", in, in, sl_buf_span(out));
    sl_span again = redact_run_text(f->run, sl_buf_span(out), &changed);
    if (changed || !sl_span_is(again, sl_buf_span(out)))
        fail_case(f, "not idempotent", in, sl_buf_span(out), again);
    sl_buf_release(&normal);
}

/* Result and expectation must mean the same; literally so when exact. */
static void check_text(file *f, const char *what, sl_span in, sl_span want, bool exact)
{
    sl_buf out = SL_BUF_NONE, got_normal = SL_BUF_NONE, want_normal = SL_BUF_NONE;

    redact_twice(f, in, &out);
    if (exact && !sl_span_is(sl_buf_span(&out), want)) fail_case(f, what, in, want, sl_buf_span(&out));
    sl_test_json_normal(sl_buf_span(&out), &got_normal);
    if (!sl_test_json_normal(want, &want_normal)) ck_abort_msg("%s:%u: not JSON", f->name, f->line);
    if (!sl_span_is(sl_buf_span(&got_normal), sl_buf_span(&want_normal)))
        fail_case(f, what, in, want, sl_buf_span(&out));
    sl_buf_release(&out);
    sl_buf_release(&got_normal);
    sl_buf_release(&want_normal);
}

/* ---- the same text in other clothes ------------------------------------------------------------ */

/* The text with each string and key spelled at random. */
static void respell(sl_random *random, sl_span json, sl_buf *out)
{
    sl_tape tape = {0};
    size_t at = 0;

    sl_buf_clear(out);
    sl_json_index(&tape, json);
    for (uint32_t i = 0; i < tape.len; i++) {
        const sl_token *tok = &tape.tok[i];
        if (tok->type != SL_JSON_STRING) continue;
        sl_buf_append(out, json.ptr + at, tok->off - 1 - at);
        char *plain = malloc(tok->len + 1);
        size_t len = sl_json_unescape((sl_span){json.ptr + tok->off, tok->len}, plain);
        sl_json_random_spelling(random, (sl_span){plain, len}, out);
        free(plain);
        at = tok->off + tok->len + 1;
    }
    sl_buf_append(out, json.ptr + at, json.len - at);
    sl_tape_release(&tape);
}

static sl_span wrapped(sl_buf *buf, const char *before, sl_span json, bool as_string, const char *after)
{
    sl_buf_clear(buf);
    sl_buf_append_cstr(buf, before);
    if (as_string)
        sl_json_write_string(buf, json);
    else
        sl_buf_append_span(buf, json);
    sl_buf_append_cstr(buf, after);
    return sl_buf_span(buf);
}

static void check_variants(file *f, sl_span in, sl_span want)
{
    sl_random random = {f->line + 1};
    sl_buf a = SL_BUF_NONE, b = SL_BUF_NONE, c = SL_BUF_NONE, d = SL_BUF_NONE;

    for (int i = 0; i < 5; i++) {
        respell(&random, in, &a);
        check_text(f, "spelled otherwise", sl_buf_span(&a), want, false);
    }
    if (!f->nowhere_else) {
        sl_span array_in = wrapped(&a, "{\"list\":[0,{\"deep\":", in, false, "}]}");
        check_text(f, "in an array", array_in, wrapped(&b, "{\"list\":[0,{\"deep\":", want, false, "}]}"),
                   true);
        sl_span nested_in = wrapped(&a, "{\"body\":", in, true, "}");
        sl_span nested_want = wrapped(&b, "{\"body\":", want, true, "}");
        check_text(f, "inside a string", nested_in, nested_want, true);
        sl_span twice_in = wrapped(&c, "{\"n\":1,\"body\":", nested_in, true, "}");
        check_text(f, "inside a string inside a string", twice_in,
                   wrapped(&d, "{\"n\":1,\"body\":", nested_want, true, "}"), true);
        respell(&random, nested_in, &c);
        check_text(f, "inside a string, spelled otherwise", sl_buf_span(&c), nested_want, false);
    }
    sl_buf_release(&a);
    sl_buf_release(&b);
    sl_buf_release(&c);
    sl_buf_release(&d);
}

/* ---- files ------------------------------------------------------------------------------------- */

static const char *value_of(const char *line, const char *name)
{
    size_t len = strlen(name);

    if (strncmp(line, name, len) != 0 || line[len] != ':') return NULL;
    line += len + 1;
    while (*line == ' ')
        line++;
    return line;
}

static void run_case(file *f, const char *in, const char *want)
{
    if (!f->run) ck_abort_msg("%s:%u: no options before", f->name, f->line);
    check_text(f, "wrong", sl_span_of(in), sl_span_of(want), true);
    check_variants(f, sl_span_of(in), sl_span_of(want));
    f->nowhere_else = false;
    f->cases++;
}

static void take_options(file *f, const char *options)
{
    const char *error;

    if (f->run) redact_run_free(f->run);
    f->run = redact_run_new(options, &error);
    if (!f->run) ck_abort_msg("%s:%u: %s", f->name, f->line, error);
}

static void take_line(file *f, const char *line)
{
    const char *value;

    if (*line == '\0' || *line == '#') return;
    if (strcmp(line, "not inside strings") == 0) {
        f->nowhere_else = true;
    } else if ((value = value_of(line, "options")) != NULL) {
        take_options(f, value);
    } else if ((value = value_of(line, "in")) != NULL) {
        f->in = sl_strdup(value);
    } else if ((value = value_of(line, "out")) != NULL && f->in) {
        run_case(f, f->in, value);
        sl_free(f->in);
        f->in = NULL;
    } else if ((value = value_of(line, "same")) != NULL) {
        run_case(f, value, value);
    } else {
        ck_abort_msg("%s:%u: not understood", f->name, f->line);
    }
}

static unsigned run_file(const char *name, unsigned *failures)
{
    char path[512], *line = NULL;
    size_t cap = 0;
    file f = {.name = name};

    snprintf(path, sizeof path, "%s/%s", FOLDER, name);
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    for (ssize_t len; (len = getline(&line, &cap, in)) >= 0;) {
        f.line++;
        if (len > 0 && line[len - 1] == '\n') line[len - 1] = '\0';
        take_line(&f, line);
    }
    fclose(in);
    free(line);
    ck_assert_ptr_null(f.in);
    if (f.run) redact_run_free(f.run);
    *failures += f.failures;
    return f.cases;
}

static int is_case_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && strcmp(dot, ".cases") == 0;
}

START_TEST(redact__does_what_every_case_says)
{
    struct dirent **entries;
    unsigned cases = 0, failures = 0;
    int count = scandir(FOLDER, &entries, is_case_file, alphasort);

    ck_assert_int_gt(count, 0);
    for (int i = 0; i < count; i++) {
        unsigned in_file = run_file(entries[i]->d_name, &failures);
        ck_assert_uint_gt(in_file, 0);
        printf("%s: %u cases\n", entries[i]->d_name, in_file);
        cases += in_file;
        free(entries[i]);
    }
    free(entries);
    printf("%u cases\n", cases);
    ck_assert_uint_eq(failures, 0);
    ck_assert_uint_ge(cases, CASES_LEAST);
}
END_TEST

SL_TEST_MAIN("redact_cases", redact__does_what_every_case_says)
