#include "check_main.h"
#include "config/yaml_tree.h"
#include <stdio.h>
#include <stdlib.h>

/* The tree as text: maps {k:v}, lists [a], quoted scalars in quotes. */
static void dump(const sl_node *node, sl_buf *out)
{
    if (node->type == SL_NODE_SCALAR) {
        const char *mark = sl_node_is_null(node) ? "~" : "";
        sl_buf_append_cstr(out, node->quoted ? "\"" : mark);
        for (size_t i = 0; !*mark && i < node->text.len; i++)
            sl_buf_append_char(out, node->text.ptr[i] ? node->text.ptr[i] : '?');
        if (node->quoted) sl_buf_append_char(out, '"');
        return;
    }
    sl_buf_append_char(out, node->type == SL_NODE_MAP ? '{' : '[');
    for (uint32_t i = 0; i < node->count; i++) {
        if (i) sl_buf_append_char(out, ' ');
        if (node->type == SL_NODE_MAP) {
            sl_buf_append_span(out, node->members[i].key);
            sl_buf_append_char(out, ':');
        }
        dump(node->type == SL_NODE_MAP ? node->members[i].value : node->items[i], out);
    }
    sl_buf_append_char(out, node->type == SL_NODE_MAP ? '}' : ']');
}

/* What parsing gives: the dump, then what is wrong. */
static const char *parse(const char *text)
{
    static char result[65536];
    sl_arena arena = SL_ARENA_NONE;
    sl_problems *problems = sl_problems_new();
    sl_buf out = SL_BUF_NONE;
    sl_problems_add_source(problems, "t.yaml", sl_span_of(text));
    sl_node *root = sl_yaml_parse(&arena, "t.yaml", sl_span_of(text), true, problems);
    if (root) dump(root, &out);
    if (sl_problems_errors(problems)) sl_buf_append_char(&out, '\n');
    ck_assert(root || sl_problems_errors(problems));
    sl_problems_print(problems, &out);
    snprintf(result, sizeof result, "%s", sl_buf_cstr(&out));
    sl_buf_release(&out);
    sl_problems_free(problems);
    sl_arena_release(&arena);
    return result;
}

START_TEST(yaml__reads_maps_lists_and_scalars)
{
    ck_assert_str_eq(parse(""), "{}");
    ck_assert_str_eq(parse("# only a comment\n"), "{}");
    ck_assert_str_eq(parse("a: 1\nb:\n  - x\n  - 'y'\n  - \"z\\n\"\nc: {d: , e: ~, f: 'null'}\n"),
                     "{a:1 b:[x \"y\" \"z\n\"] c:{d:~ e:~ f:\"null\"}}");
    ck_assert_str_eq(parse("a: |\n  one\n  two\n"), "{a:\"one\ntwo\n\"}");
}
END_TEST

START_TEST(yaml__aliases_share_and_merges_add_what_is_missing)
{
    ck_assert_str_eq(parse("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\ncopy: *b\n"),
                     "{base:{x:1 y:2} use:{y:3 x:1} copy:{x:1 y:2}}");
    ck_assert_str_eq(parse("a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b]}\n"),
                     "{a:{x:1} b:{x:2 z:3} c:{x:1 z:3}}");
    ck_assert_str_eq(parse("'<<': text\n"), "{<<:text}");
}
END_TEST

/* Far more names than a set of them has room for at first. */
START_TEST(yaml__every_key_and_anchor_of_a_large_map_is_known)
{
    sl_buf text = SL_BUF_NONE;
    for (int i = 0; i < 3000; i++)
        sl_buf_printf(&text, "k%d: &a%d v%d\n", i, i, i);
    sl_buf_append_cstr(&text, "b: {k7: &a7 new, k8: *a7, k9: *a2999}\nk1234: again\n");
    const char *got = parse(sl_buf_cstr(&text));
    ck_assert_ptr_nonnull(strstr(got, " b:{k7:new k8:new k9:v2999}}"));
    ck_assert_ptr_nonnull(strstr(got, "t.yaml:3002:1: error: the key `k1234` stands twice in this map"));
    sl_buf_release(&text);
}
END_TEST

START_TEST(yaml__problems_have_their_place_and_advice)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: error: the key `a` stands twice in this map\n  | a: ***\n  | ^\n"
                               "  hint: it was first written in line 1; keep one of them\n"},
        {"a: *nope\n",
         "t.yaml:1:4: error: there is no anchor for the alias `*nope`\n  | a: *nope\n  |    ^^^^^\n"},
        {"a: &a [*a]\n", "there is no anchor for the alias `*a`"},
        {"a: 1\n---\nb: 2\n", "t.yaml:2:1: error: a second document starts here"},
        {"a: !!str 5\n", "t.yaml:1:4: error: YAML tags (`!…`) are not supported"},
        {"a: [1, 2\nb: 3\n", "t.yaml:1:4: error: the `[` is not closed"},
        {"a: {x: 1\n", "t.yaml:1:4: error: the `{` is not closed"},
        {"a: b: c\n", "t.yaml:1:5: error: `: ` is not allowed here: this line already is a value"},
        {"a: 1\n  b: 2\n", "t.yaml:2:4: error: `: ` is not allowed here"},
        {"a:\n    b: 1\n  c: 2\n", "t.yaml:3:3: error: this line does not fit the map it stands in"},
        {"a: \"x\n", "t.yaml:1:4: error: the quote that opens here is never closed"},
        {"a: \"\\d+\"\n", "t.yaml:1:5: error: unknown escape in a text in double quotes"},
        {"a:\n\t- b\n", "t.yaml:2:1: error: a tab where YAML wants spaces"},
        {"a: @b\n", "t.yaml:1:4: error: a value can't start with this character"},
        {"[a]: 1\n", "t.yaml:1:1: error: a key must be plain text"},
        {"a: \"x\\0y\"\n", "t.yaml:1:4: error: the value holds a NUL byte"},
        {"ok: 1\na: \xff\n", "t.yaml:2:4: error: the file is not UTF-8 here"},
        {"a: 1\nb\n", "t.yaml:2:1: error: this key has no `:` behind it"},
        {"a: {<<: 5}\n", "t.yaml:1:5: error: `<<` takes in a map or a list of maps"},
        {"a: ${NO_SUCH_VARIABLE_HERE}\n",
         "t.yaml:1:4: error: the environment variable `NO_SUCH_VARIABLE_HERE` is not set\n  | a: "
         "${NO_SUCH_VARIABLE_HERE}\n  |    ^^^^^^^^^^^^^^^^^^^^^^^^\n"},
        {"a: 'x-${B'\n", "t.yaml:1:7: error: `${` is not closed"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        const char *got = parse(cases[i].text);
        ck_assert_msg(strstr(got, cases[i].want) != NULL, "%s\ngave\n%s\nwithout\n%s", cases[i].text, got,
                      cases[i].want);
    }
}
END_TEST

START_TEST(yaml__values_never_change_the_structure)
{
    setenv("SLUICE_TEST_EVIL", "x\"}, b: [1\n- y # z", 1);
    ck_assert_str_eq(parse("a: ${SLUICE_TEST_EVIL}\nc: \"${SLUICE_TEST_EVIL}\"\n"),
                     "{a:x\"}, b: [1\n- y # z c:\"x\"}, b: [1\n- y # z\"}");
    ck_assert_str_eq(parse("${SLUICE_TEST_EVIL}: 1\n"), "{${SLUICE_TEST_EVIL}:1}");
}
END_TEST

START_TEST(yaml__small_files_that_stand_for_huge_ones_are_refused)
{
    sl_buf bomb = SL_BUF_NONE;
    sl_buf_append_cstr(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 12; i++)
        sl_buf_printf(&bomb, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1,
                      i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    ck_assert_ptr_nonnull(strstr(parse(sl_buf_cstr(&bomb)), "more than 16MiB with its aliases written out"));

    sl_buf_clear(&bomb);
    for (int i = 0; i < 10000; i++)
        sl_buf_append_char(&bomb, '[');
    ck_assert_ptr_nonnull(strstr(parse(sl_buf_cstr(&bomb)), "nested more than 64 deep"));

    sl_buf_clear(&bomb);
    sl_buf_append_cstr(&bomb, "a0: &a0 [x]\n");
    for (int i = 1; i < 100; i++)
        sl_buf_printf(&bomb, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    ck_assert_ptr_nonnull(strstr(parse(sl_buf_cstr(&bomb)), "64 deep with aliases written out"));

    sl_buf_clear(&bomb);
    for (int i = 0; i < 5000; i++)
        sl_buf_printf(&bomb, "k%d: 1\n", i);
    ck_assert_ptr_nonnull(
        strstr(parse(sl_buf_cstr(&bomb)), "t.yaml:4097:1: error: the map has more than 4096 keys"));
    sl_buf_release(&bomb);
}
END_TEST

START_TEST(yaml__files_that_do_not_parse_hide_what_looks_secret)
{
    static const char *const cases[] = {
        "password: hunter2 \"x: [\nb: }\n",   "a: {api_key: hunter2, b: [}\n", "password:\n  hunter2: }: x\n",
        "token: \"hunter2 \\q\"\n",           "secret:\n  - hunter2: b: c\n",  "a: {password:\n hunter2 \"\n",
        "url: https://me:hunter2@es: x: 1\n",
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        const char *got = parse(cases[i]);
        ck_assert_msg(strstr(got, "error"), "no error for %s: %s", cases[i], got);
        ck_assert_msg(!strstr(got, "hunter2"), "%s shows\n%s", cases[i], got);
    }
}
END_TEST

SL_TEST_MAIN("yaml_tree", yaml__reads_maps_lists_and_scalars,
             yaml__aliases_share_and_merges_add_what_is_missing,
             yaml__every_key_and_anchor_of_a_large_map_is_known, yaml__problems_have_their_place_and_advice,
             yaml__values_never_change_the_structure, yaml__small_files_that_stand_for_huge_ones_are_refused,
             yaml__files_that_do_not_parse_hide_what_looks_secret)
