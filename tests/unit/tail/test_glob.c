/* test_glob.c: what patterns match, and what a walk finds and watches. */
#include "../../../plugins/inputs/tail/glob.h"
#include "check_main.h"
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static tail_globs *globs_of(const char *pattern, tail_glob_kind kind)
{
    sl_span item = sl_span_of(pattern);
    sl_err err = SL_ERR_NONE;
    tail_globs *globs = tail_globs_new((sl_list){&item, 1}, kind, &err);
    ck_assert_msg(globs != NULL, "%s: %s", pattern, err.text);
    return globs;
}

START_TEST(glob__matches_as_its_table_says)
{
    static const struct {
        const char *pattern, *path;
        bool match;
    } cases[] = {
        {"/a/b.log", "/a/b.log", true},
        {"/a/b.log", "/a/b.logx", false},
        {"/a//./b.log", "/a/b.log", true},
        {"/a/*.log", "/a/b.log", true},
        {"/a/*.log", "/a/.log", false},
        {"/a/*.log", "/a/.b.log", false},
        {"/a/.*.log", "/a/.b.log", true},
        {"/a/*.log", "/a/b/c.log", false},
        {"/a/*", "/a", false},
        {"/a/b*c*d", "/a/bXXcYYd", true},
        {"/a/b*c*d", "/a/bXXcYY", false},
        {"/a/*a*a*a*a*b", "/a/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false},
        {"/a/?.log", "/a/x.log", true},
        {"/a/?.log", "/a/\xc3\xa9.log", true},
        {"/a/?.log", "/a/xy.log", false},
        {"/a/[a-c].log", "/a/b.log", true},
        {"/a/[a-c].log", "/a/d.log", false},
        {"/a/[!a-c].log", "/a/d.log", true},
        {"/a/[^a-c].log", "/a/a.log", false},
        {"/a/[]x].log", "/a/].log", true},
        {"/a/[a-].log", "/a/-.log", true},
        {"/a/[x.log", "/a/[x.log", true},
        {"/a/\\*.log", "/a/*.log", true},
        {"/a/\\*.log", "/a/x.log", false},
        {"/a/{b,c}.log", "/a/c.log", true},
        {"/a/{b,c}.log", "/a/d.log", false},
        {"/a/{b,c{1,2}}.log", "/a/c2.log", true},
        {"/a/{b,c{1,2}}.log", "/a/c.log", false},
        {"/{a,b/c}/x.log", "/b/c/x.log", true},
        {"/a/{x}.log", "/a/{x}.log", true},
        {"/a/{,x}.log", "/a/.log", true},
        {"/a/{x.log", "/a/{x.log", true},
        {"/a/**/x.log", "/a/x.log", true},
        {"/a/**/x.log", "/a/b/c/d/x.log", true},
        {"/a/**/x.log", "/b/x.log", false},
        {"/a/**/x.log", "/a/.git/x.log", false},
        {"/a/**", "/a/b/c", true},
        {"/a/**", "/a/b", true},
        {"/**/log/**/*.log", "/var/log/a/b.log", true},
        {"/**/log/**/*.log", "/var/lag/a/b.log", false},
        {"/a**b", "/axxb", true},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        tail_globs *globs = globs_of(cases[i].pattern, TAIL_GLOB_PATHS);
        ck_assert_msg(tail_globs_match(globs, cases[i].path) == cases[i].match, "%s %s", cases[i].pattern,
                      cases[i].path);
        tail_globs_free(globs);
    }
}
END_TEST

START_TEST(glob__names_to_exclude_hold_anywhere)
{
    tail_globs *globs = globs_of("*.{gz,zst}", TAIL_GLOB_NAMES);
    ck_assert(tail_globs_match(globs, "/var/log/a.log.1.gz"));
    ck_assert(tail_globs_match(globs, "/.x/.a.zst"));
    ck_assert(!tail_globs_match(globs, "/var/log.gz/a.log"));
    tail_globs_free(globs);
    globs = globs_of("/var/*/a.log", TAIL_GLOB_NAMES);
    ck_assert(tail_globs_match(globs, "/var/x/a.log"));
    ck_assert(!tail_globs_match(globs, "/srv/var/x/a.log"));
    tail_globs_free(globs);
}
END_TEST

START_TEST(glob__knows_which_folders_lead_on)
{
    tail_globs *globs = globs_of("/a/b*/**/c/*.log", TAIL_GLOB_PATHS);
    ck_assert(tail_globs_leads(globs, "/"));
    ck_assert(tail_globs_leads(globs, "/a"));
    ck_assert(tail_globs_leads(globs, "/a/bb"));
    ck_assert(tail_globs_leads(globs, "/a/bb/x/y"));
    ck_assert(tail_globs_leads(globs, "/a/bb/c"));
    ck_assert(!tail_globs_leads(globs, "/a/c"));
    ck_assert(!tail_globs_leads(globs, "/b"));
    tail_globs_free(globs);
}
END_TEST

START_TEST(glob__what_is_too_much_is_refused_by_name)
{
    const char *bad[] = {"/", "/a/**/b/**/c/**/d/**/e/**/f",
                         "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"};
    for (size_t i = 0; i < SL_LEN(bad); i++) {
        sl_span item = sl_span_of(bad[i]);
        sl_err err = SL_ERR_NONE;
        ck_assert_ptr_null(tail_globs_new((sl_list){&item, 1}, TAIL_GLOB_PATHS, &err));
        ck_assert_int_ne(err.code, 0);
    }
}
END_TEST

/* ---- walking ---- */

static char root[256];
static sl_buf found, folders;

static const char *below_root(const char *path)
{
    size_t len = strlen(root);
    return strncmp(path, root, len) == 0 ? path[len] ? path + len + 1 : "." : NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Space-separated words in order, each once. */
static void sort_words(sl_buf *words)
{
    char *list[256];
    size_t n = 0;
    for (char *word = strtok((char *)(uintptr_t)sl_buf_cstr(words), " "); word; word = strtok(NULL, " "))
        list[n++] = strdup(word);
    qsort(list, n, sizeof *list, compare);
    sl_buf_clear(words);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(list[i], list[i - 1]) != 0) sl_buf_printf(words, "%s ", list[i]);
    for (size_t i = 0; i < n; i++)
        free(list[i]);
}

static void on_found(void *arg, const char *path)
{
    (void)arg;
    sl_buf_printf(&found, "%s ", below_root(path));
}
static void on_folder(void *arg, const char *path)
{
    (void)arg;
    const char *name = below_root(path);
    if (name) sl_buf_printf(&folders, "%s ", name);
}
static void on_failed(void *arg, const char *path, int error)
{
    (void)arg;
    sl_buf_printf(&found, "%s:%s ", below_root(path), strerror(error));
}

static void make(const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", root, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    sl_fs_mkdirs(path, 0755);
    *slash = '/';
    if (slash[1]) {
        FILE *f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        fclose(f);
    }
}

static void link_to(const char *target, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", root, name);
    ck_assert_int_eq(symlink(target, path), 0);
}

static void walk(const char *pattern, const char *only)
{
    sl_buf_clear(&found);
    sl_buf_clear(&folders);
    char full[600], full_only[600];
    snprintf(full, sizeof full, "%s/%s", root, pattern);
    snprintf(full_only, sizeof full_only, "%s/%s", root, only ? only : "");
    tail_globs *globs = globs_of(full, TAIL_GLOB_PATHS);
    tail_walk w = {on_folder, on_found, on_failed, NULL, only ? full_only : NULL};
    tail_globs_walk(globs, &w);
    tail_globs_free(globs);
    sort_words(&found);
    sort_words(&folders);
}

static void expect(const char *files, const char *watched)
{
    ck_assert_str_eq(sl_buf_cstr(&found), files);
    ck_assert_str_eq(sl_buf_cstr(&folders), watched);
}

START_TEST(walk__finds_files_and_names_the_folders_that_decide)
{
    snprintf(root, sizeof root, "%s", sl_test_dir());
    make("a/x.log");
    make("a/y.log");
    make("a/y.txt");
    make("b/x.log");
    make("a/deep/er/z.log");
    make("a/.hidden/h.log");
    make("a/dir.log/");
    walk("*/x.log", NULL);
    expect("a/x.log b/x.log ", ". a b ");
    walk("a/*.log", NULL);
    expect("a/dir.log a/x.log a/y.log ", "a ");
    walk("a/**/*.log", NULL);
    expect("a/deep/er/z.log a/dir.log a/x.log a/y.log ", "a a/deep a/deep/er a/dir.log ");
    walk("a/**/*.log", "a/deep");
    expect("a/deep/er/z.log ", "a a/deep a/deep/er ");
    walk("*/x.log", "b");
    expect("b/x.log ", ". b ");
    walk("a/x.log", NULL);
    expect("a/x.log ", "a ");
    walk("a/x.log", "b");
    expect("", "");
}
END_TEST

START_TEST(walk__what_is_missing_is_waited_for_in_its_parent)
{
    snprintf(root, sizeof root, "%s", sl_test_dir());
    make("a/");
    walk("a/b/c/*.log", NULL);
    expect("", "a ");
    walk("a/x.log", NULL);
    expect("a/x.log ", "a ");
    make("v1/x.log");
    link_to("v1", "current");
    walk("current/x.log", NULL);
    expect("current/x.log ", ". current ");
}
END_TEST

START_TEST(walk__loops_of_links_end)
{
    snprintf(root, sizeof root, "%s", sl_test_dir());
    make("a/b/x.log");
    link_to("..", "a/b/up");
    link_to(".", "a/self");
    link_to("broken", "a/broken.log");
    walk("a/**/*.log", NULL);
    ck_assert_ptr_nonnull(strstr(sl_buf_cstr(&found), "b/x.log "));
    ck_assert_ptr_nonnull(strstr(sl_buf_cstr(&found), "a/broken.log "));
    ck_assert_uint_lt(found.len, 200);
}
END_TEST

SL_TEST_MAIN("glob", glob__matches_as_its_table_says, glob__names_to_exclude_hold_anywhere,
             glob__knows_which_folders_lead_on, glob__what_is_too_much_is_refused_by_name,
             walk__finds_files_and_names_the_folders_that_decide,
             walk__what_is_missing_is_waited_for_in_its_parent, walk__loops_of_links_end)
