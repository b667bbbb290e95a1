/* glob_walk.c: finds what the patterns match, one name of the path after the other.
 *
 * Nothing is listed for names without wildcards. A folder is told (and so watched) when a name in it decides:
 * where a wildcard is matched, where the file itself is, where a folder on the way is missing or a symbolic
 * link. Other folders on the way need no watch: when such a one is moved or removed, the watches below it
 * tell.
 */
#include "glob_int.h"
#include "index.h"
#include <errno.h>
#include <sluice/fs.h>

/* Where a `**` has been: a folder, known by device and inode, and the part. */
typedef struct visit {
    dev_t dev;
    ino_t ino;
    size_t part;
} visit;

typedef struct walker {
    const tail_walk *walk;
    const glob *g;
    bool hidden;
    char path[TAIL_MAX_PATH]; /* of the folder at hand; "" is the root */
    size_t len;
    tail_index visited;
} walker;

static void walk_part(walker *w, size_t i, int descent);

/* ---- the path at hand ---- */

static const char *folder_path(const walker *w)
{
    return w->len ? w->path : "/";
}

static bool push(walker *w, sl_span name)
{
    if (w->len + 1 + name.len >= sizeof w->path) {
        w->walk->failed(w->walk->arg, folder_path(w), ENAMETOOLONG);
        return false;
    }
    w->path[w->len++] = '/';
    memcpy(w->path + w->len, name.ptr, name.len);
    w->len += name.len;
    w->path[w->len] = '\0';
    return true;
}

static void pop(walker *w, size_t len)
{
    w->len = len;
    w->path[len] = '\0';
}

static void tell_folder(const walker *w)
{
    w->walk->folder(w->walk->arg, folder_path(w));
}

/* The rest of `only` below the folder at hand, without a slash in front; NULL when the folder is not above
 * it. */
static const char *rest_of_only(const walker *w)
{
    const char *only = w->walk->only;
    if (!only || strncmp(only, w->path, w->len) != 0 || only[w->len] != '/' || !only[w->len + 1]) return NULL;
    return only + w->len + 1;
}

static void tell_failed(const walker *w, int error)
{
    if (error != ENOENT && error != ENOTDIR) w->walk->failed(w->walk->arg, folder_path(w), error);
}

/* ---- folders on the way ---- */

static bool is_folder(const walker *w)
{
    struct stat st;
    int rc = sl_fs_stat(w->path, &st);
    if (rc < 0) tell_failed(w, -rc);
    return rc == 0 && S_ISDIR(st.st_mode);
}

/* A name on the way that is missing or a link may become another: its parent decides. */
static bool is_plain_folder(const walker *w)
{
    struct stat st;
    return sl_fs_lstat(w->path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void enter(walker *w, sl_span name, size_t next, int descent)
{
    size_t len = w->len;
    if (!push(w, name)) return;
    if (is_folder(w)) walk_part(w, next, descent);
    pop(w, len);
}

static void walk_literal(walker *w, size_t i)
{
    sl_span name = sl_span_of(w->g->parts[i].text);
    const char *rest = rest_of_only(w);
    if (rest && !(strncmp(rest, name.ptr, name.len) == 0 && (rest[name.len] == '/' || !rest[name.len])))
        return;
    size_t len = w->len;
    if (i + 1 == w->g->count) {
        tell_folder(w);
        if (push(w, name)) w->walk->found(w->walk->arg, w->path);
        pop(w, len);
        return;
    }
    if (!push(w, name)) return;
    bool plain = is_plain_folder(w);
    pop(w, len);
    if (!plain) tell_folder(w); /* before the look that counts */
    enter(w, name, i + 1, 0);
}

/* ---- folders that are listed ---- */

static void take_entry(walker *w, size_t i, int descent, sl_span name, unsigned char type)
{
    const glob_part *part = &w->g->parts[i];
    if (!tail_glob_match_name(part, name, w->hidden)) return;
    bool last = i + 1 == w->g->count;
    bool maybe_folder = type == DT_DIR || type == DT_LNK || type == DT_UNKNOWN;
    if (last) {
        size_t len = w->len;
        if (push(w, name)) w->walk->found(w->walk->arg, w->path);
        pop(w, len);
    } else if (maybe_folder) {
        enter(w, name, part->kind == GLOB_ANY ? i : i + 1, descent);
    }
}

static void list(walker *w, size_t i, int descent)
{
    const char *rest = rest_of_only(w);
    if (rest) { /* only one name is asked for */
        take_entry(w, i, descent, (sl_span){rest, strcspn(rest, "/")}, DT_UNKNOWN);
        return;
    }
    DIR *dir = sl_fs_opendir(folder_path(w));
    if (!dir) {
        tell_failed(w, errno);
        return;
    }
    for (struct dirent *entry; (entry = sl_fs_readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        take_entry(w, i, descent, sl_span_of(entry->d_name), entry->d_type);
    }
    sl_fs_closedir(dir);
}

/* ---- `**` ---- */

static uint64_t visit_key(const visit *v)
{
    return (uint64_t)v->ino * 31 + (uint64_t)v->dev * 7 + v->part;
}

static bool is_first_visit(walker *w, size_t part)
{
    struct stat st;
    if (sl_fs_stat(folder_path(w), &st) < 0) return false;
    visit v = {st.st_dev, st.st_ino, part};
    size_t at = 0;
    for (visit *known; (known = tail_index_next(&w->visited, visit_key(&v), &at));)
        if (known->dev == v.dev && known->ino == v.ino && known->part == v.part) return false;
    visit *added = sl_alloc(sizeof *added);
    *added = v;
    tail_index_add(&w->visited, visit_key(added), added);
    return true;
}

static void walk_any(walker *w, size_t i, int descent)
{
    if (descent > TAIL_MAX_DESCENT) {
        w->walk->failed(w->walk->arg, folder_path(w), ELOOP);
        return;
    }
    if (!is_first_visit(w, i)) return;
    tell_folder(w);
    walk_part(w, i + 1, 0);
    list(w, i, descent + 1);
}

static void walk_part(walker *w, size_t i, int descent)
{
    switch (w->g->parts[i].kind) {
    case GLOB_LITERAL: walk_literal(w, i); break;
    case GLOB_ANY: walk_any(w, i, descent); break;
    case GLOB_WILD:
        tell_folder(w);
        list(w, i, 0);
        break;
    }
}

void tail_globs_walk(const tail_globs *globs, const tail_walk *walk)
{
    walker *w = sl_calloc(1, sizeof *w);
    w->walk = walk;
    w->hidden = globs->hidden;
    for (size_t i = 0; i < globs->count; i++) {
        w->g = &globs->items[i];
        walk_part(w, 0, 0);
        tail_index_release_items(&w->visited);
    }
    sl_free(w);
}
