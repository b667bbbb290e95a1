/* config_file.c: files and folders to one tree. */
#include "config_file.h"
#include <errno.h>
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_PATH 4096

typedef struct work {
    sl_arena *names, *tree;
    sl_problems *problems;
    char *files[SL_MAX_CONFIG_FILES]; /* in `names` */
    size_t count;
    bool failed;
} work;

static void fail(work *w, const char *file, const char *hint, const char *what)
{
    sl_problems_error(w->problems, (sl_mark){.file = file}, hint, "%s", what);
    w->failed = true;
}

static void fail_sys(work *w, const char *file, int sys, const char *what)
{
    sl_err err = SL_ERR_NONE;
    sl_err_sys(&err, sys, "%s", what);
    fail(w, file, sys == ENOENT ? "check the path behind -c" : NULL, err.text);
}

/* ---- which files ---- */

static void add_file(work *w, const char *path)
{
    for (size_t i = 0; i < w->count; i++) {
        if (strcmp(w->files[i], path) != 0) continue;
        fail(w, path, "name it once", "the file is named twice");
        return;
    }
    if (w->count == SL_MAX_CONFIG_FILES)
        fail(w, path, "join some of them", "there are more than 1000 configuration files");
    else
        w->files[w->count++] = sl_arena_strndup(w->names, path, strlen(path));
}

static bool is_config_name(const char *name)
{
    sl_span text = sl_span_of(name);
    return name[0] != '.' &&
           (sl_span_ends_with(text, SL_SPAN(".yaml")) || sl_span_ends_with(text, SL_SPAN(".yml")));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_folder(work *w, const char *folder)
{
    DIR *dir = sl_fs_opendir(folder);
    if (!dir) {
        fail_sys(w, folder, errno, "cannot read the folder");
        return;
    }
    size_t first = w->count, len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/')
        len--;
    for (struct dirent *entry = sl_fs_readdir(dir); entry && !w->failed; entry = sl_fs_readdir(dir)) {
        char path[MAX_PATH];
        struct stat st;
        int n = snprintf(path, sizeof path, "%.*s/%s", (int)len, folder, entry->d_name);
        if (!is_config_name(entry->d_name) || n < 0 || (size_t)n >= sizeof path) continue;
        /* What can't be looked at is kept: reading it says why. */
        if (sl_fs_stat(path, &st) == 0 && !S_ISREG(st.st_mode)) continue;
        add_file(w, path);
    }
    sl_fs_closedir(dir);
    qsort(w->files + first, w->count - first, sizeof w->files[0], compare_names);
    if (w->count == first && !w->failed)
        fail(w, folder, "put at least one there, or name a file", "the folder holds no *.yaml file");
}

static void add_path(work *w, const char *path)
{
    struct stat st;
    if (sl_fs_stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        add_folder(w, path);
    else
        add_file(w, path);
}

/* ---- one tree ---- */

static sl_node *read_file(work *w, const char *file)
{
    sl_buf text = SL_BUF_NONE;
    sl_node *root = NULL;
    int rc = sl_fs_read_file(file, SL_MAX_YAML_FILE, &text);
    sl_span content = sl_buf_span(&text);
    /* A byte order mark says nothing in UTF-8, and would shift the columns of the first line. */
    if (sl_span_starts_with(content, SL_SPAN("\xEF\xBB\xBF")))
        content = (sl_span){content.ptr + 3, content.len - 3};
    if (rc == -EFBIG) {
        fail(w, file, "split it and name each part with -c", "the file has more than 4MiB");
    } else if (rc < 0) {
        fail_sys(w, file, -rc, "cannot read the file");
    } else {
        sl_problems_add_source(w->problems, file, content);
        root = sl_yaml_parse(w->tree, file, content, true, w->problems);
        if (root && root->type != SL_NODE_MAP && !sl_node_is_null(root)) {
            sl_problems_hide_by_name(w->problems, file);
            sl_problems_error(w->problems, root->mark, "start with `pipelines:`",
                              "a configuration is a map, not %s", sl_node_noun(root));
            w->failed = true;
        }
    }
    if (text.ptr) sl_wipe(text.ptr, text.cap);
    sl_buf_release(&text);
    if (!root) w->failed = true;
    return root;
}

static sl_node *new_map(work *w, uint32_t capacity, sl_mark mark)
{
    sl_node *map = sl_arena_zalloc(w->tree, sizeof *map);
    map->type = SL_NODE_MAP;
    map->mark = mark;
    map->members = sl_arena_zalloc(w->tree, (capacity + 1) * sizeof *map->members);
    return map;
}

/* A section that stands in two files: the members of both. */
static sl_node *join(work *w, const sl_member *first, const sl_member *second)
{
    const sl_node *a = first->value, *b = second->value;
    if (sl_node_is_null(b)) return first->value;
    if (sl_node_is_null(a)) return second->value;
    if (a->type != SL_NODE_MAP || b->type != SL_NODE_MAP) {
        const sl_node *wrong = a->type != SL_NODE_MAP ? a : b;
        sl_problems_error(w->problems, wrong->mark, NULL, "`%.64s` must be a map, not %s", first->key.ptr,
                          sl_node_noun(wrong));
        return first->value;
    }
    sl_node *both = new_map(w, a->count + b->count, a->mark);
    memcpy(both->members, a->members, a->count * sizeof *a->members);
    both->count = a->count;
    for (uint32_t i = 0; i < b->count; i++) {
        const sl_member *known = sl_node_find(a, b->members[i].key.ptr);
        if (known)
            sl_problems_error(w->problems, b->members[i].mark, "keep one of them, or rename one",
                              "`%.64s` in `%.64s` is already defined at %s:%u:%u", known->key.ptr,
                              first->key.ptr, known->mark.file, known->mark.line, known->mark.column);
        else
            both->members[both->count++] = b->members[i];
    }
    return both;
}

static void add_sections(work *w, sl_node *all, const sl_node *root)
{
    for (uint32_t i = 0; i < root->count; i++) {
        sl_member *known = (sl_member *)sl_node_find(all, root->members[i].key.ptr);
        if (known)
            known->value = join(w, known, &root->members[i]);
        else
            all->members[all->count++] = root->members[i];
    }
}

sl_node *sl_config_files_read(const char *const *paths, size_t count, sl_arena *names, sl_arena *tree,
                              sl_problems *problems)
{
    work *w = sl_calloc(1, sizeof *w);
    *w = (work){.names = names, .tree = tree, .problems = problems};
    for (size_t i = 0; i < count; i++)
        add_path(w, paths[i]);
    if (count == 0) fail(w, NULL, "name a file or folder: -c sluice.yaml", "there is no configuration");

    const sl_node **roots = sl_calloc(w->count + 1, sizeof *roots);
    uint32_t sections = 0;
    for (size_t i = 0; i < w->count; i++) {
        roots[i] = read_file(w, w->files[i]);
        sections += roots[i] ? roots[i]->count : 0;
    }
    sl_node *all = NULL;
    if (!w->failed) {
        all = new_map(w, sections, (sl_mark){.file = w->files[0]});
        for (size_t i = 0; i < w->count; i++)
            add_sections(w, all, roots[i]);
    }
    sl_free(roots);
    sl_free(w);
    return all;
}
