/* tail_file.c: generations as objects: their indexes, lists and descriptors.
 *
 * Invariants:
 *  - by_inode holds every file that has an inode, once, and those of the database that are not met yet
 *    (UNSEEN).
 *  - by_path, by_head and by_watch follow the fields of the same names, by_base the path without what
 *    rotation put into it; they change only here.
 *  - n_open descriptors are open, at most max_open as long as some can be opened again by their path.
 */
#include "tail_int.h"
#include <errno.h>

int64_t tail_mtime_ns(const struct stat *st)
{
    return st->st_mtim.tv_sec * SL_NS_PER_S + st->st_mtim.tv_nsec;
}

/* ---- keys ---- */

static uint64_t inode_key(dev_t dev, ino_t ino)
{
    return (uint64_t)ino ^ ((uint64_t)dev << 40);
}
static uint64_t path_key(const char *path)
{
    return tail_hash(path, strlen(path));
}

static uint64_t head_key(tail_head head)
{
    return head.hash ^ head.len;
}

static void index_inode(tail *t, tail_file *f, bool on)
{
    if (on == f->indexed) return;
    f->indexed = on;
    if (on)
        tail_index_add(&t->by_inode, inode_key(f->dev, f->ino), f);
    else
        tail_index_remove(&t->by_inode, inode_key(f->dev, f->ino), f);
}

void tail_file_set_watch(tail *t, tail_file *f, int id)
{
    if (f->watch_id >= 0) tail_index_remove(&t->by_watch, (uint64_t)f->watch_id, f);
    f->watch_id = id;
    if (id >= 0) tail_index_add(&t->by_watch, (uint64_t)id, f);
}

tail_file *tail_find_inode(const tail *t, dev_t dev, ino_t ino)
{
    size_t at = 0;
    for (tail_file *f; (f = tail_index_next(&t->by_inode, inode_key(dev, ino), &at));)
        if (f->dev == dev && f->ino == ino) return f;
    return NULL;
}

tail_file *tail_find_path(const tail *t, const char *path)
{
    size_t at = 0;
    for (tail_file *f; (f = tail_index_next(&t->by_path, path_key(path), &at));)
        if (tail_has_inode(f) && !f->lost_path && strcmp(f->path, path) == 0) return f;
    return NULL;
}

bool tail_knows_path(const tail *t, const char *path)
{
    size_t at = 0;
    for (tail_file *f; (f = tail_index_next(&t->by_path, path_key(path), &at));)
        if (strcmp(f->path, path) == 0) return true;
    return false;
}

/* Of the path, or of the one it was rotated from. */
static uint64_t base_key(const char *path)
{
    char *base = tail_rotated_from(path);
    uint64_t key = path_key(base ? base : path);
    sl_free(base);
    return key;
}

static bool is_rotated_from(const char *path, const char *base)
{
    char *from = tail_rotated_from(path);
    bool is = strcmp(from ? from : path, base) == 0;
    sl_free(from);
    return is;
}

int64_t tail_newest_rotated(const tail *t, const char *path)
{
    int64_t newest = 0;
    struct stat st;
    bool looked = false, there = false;
    size_t at = 0;
    for (tail_file *f; (f = tail_index_next(&t->by_base, path_key(path), &at));) {
        if (!f->head.len || f->mtime_ns <= newest || !is_rotated_from(f->path, path)) continue;
        if (!looked) there = sl_fs_stat(path, &st) == 0;
        looked = true;
        bool in_place = there && tail_has_inode(f) && f->dev == st.st_dev && f->ino == st.st_ino;
        if (!in_place) newest = f->mtime_ns;
    }
    return newest;
}

tail_file *tail_find_head(const tail *t, tail_head head, size_t *at)
{
    for (tail_file *f; (f = tail_index_next(&t->by_head, head_key(head), at));)
        if (f->head.len == head.len && f->head.hash == head.hash) return f;
    return NULL;
}

/* ---- lists ---- */

void tail_make_ready(tail *t, tail_file *f)
{
    bool fresh = f->state == TAIL_NEW || f->state == TAIL_HELD;
    if (tail_is_linked(&f->ready) || !tail_has_inode(f) || f->done) return;
    tail_append(fresh ? &t->fresh : &t->ready, &f->ready);
}
void tail_make_dirty(tail *t, tail_file *f)
{
    if (tail_is_linked(&f->dirty) || f->forgotten) return;
    tail_append(&t->dirty, &f->dirty);
    tail_save_later(t);
}
void tail_make_checked(tail *t, tail_file *f)
{
    if (!tail_is_linked(&f->checked) && tail_has_inode(f)) tail_append(&t->checked, &f->checked);
}
void tail_make_timed(tail *t, tail_file *f, bool timed)
{
    if (timed == tail_is_linked(&f->timed)) return;
    if (!timed) {
        tail_unlink(&f->timed);
        return;
    }
    tail_append(&t->timed, &f->timed);
    tail_check_later(t);
}

/* ---- objects ---- */

tail_file *tail_file_new(tail *t)
{
    tail_file *f = sl_calloc(1, sizeof *f);
    f->fd = f->watch_id = -1;
    tail_link *links[] = {&f->ready, &f->opened, &f->dirty, &f->timed, &f->checked, &f->named};
    for (size_t i = 0; i < SL_LEN(links); i++)
        tail_link_init(links[i]);
    tail_link_init(&f->all);
    tail_append(&t->files, &f->all);
    t->n_files++;
    return f;
}

static void unlink_all(tail_file *f)
{
    tail_link *links[] = {&f->ready, &f->opened, &f->dirty, &f->timed, &f->checked, &f->named, &f->all};
    for (size_t i = 0; i < SL_LEN(links); i++)
        tail_unlink(links[i]);
}

/* Held files compare themselves with a twin: they look for another one now. */
static void leave_twins(tail *t, const tail_file *gone)
{
    for (tail_link *at = t->timed.next; at != &t->timed; at = at->next) {
        tail_file *f = TAIL_FILE(at, timed);
        if (f->twin == gone) f->twin = NULL;
    }
}

void tail_file_set_state(tail *t, tail_file *f, tail_state state)
{
    t->n_ended += (state == TAIL_ENDED) - (f->state == TAIL_ENDED);
    f->state = state;
}

static void release_inode(tail *t, tail_file *f)
{
    tail_file_close(t, f);
    if (f->watch_id >= 0) {
        int id = f->watch_id;
        tail_file_set_watch(t, f, -1);
        if (t->watch) sl_watch_remove(t->watch, id);
    }
    index_inode(t, f, false);
}

void tail_file_free(tail *t, tail_file *f)
{
    release_inode(t, f);
    leave_twins(t, f);
    tail_file_set_head(t, f, (tail_head){0, 0});
    tail_file_set_path(t, f, NULL);
    sl_free(f->shown);
    f->shown = NULL;
    tail_file_set_state(t, f, TAIL_NEW);
    unlink_all(f);
    t->n_files--;
    f->forgotten = true;
    if (f->receipts == 0) sl_free(f);
}

void tail_file_end(tail *t, tail_file *f, tail_end end)
{
    if (f->state == TAIL_NEW || f->state == TAIL_HELD) {
        tail_file_free(t, f);
        return;
    }
    static const char *const why[] = {"unseen", "truncated", "deleted", "missed"};
    sl_debug(sl_input_name(t->in), "%s ends (%s) at offset %llu: inode %llu", f->path, why[end],
             (unsigned long long)f->pos.off, (unsigned long long)f->ino);
    release_inode(t, f);
    tail_forget_adopted(t, f->path); /* its next name must not make a new file of it */
    tail_file_set_state(t, f, TAIL_ENDED);
    f->end = end;
    f->ended_s = sl_clock_wall_ns() / SL_NS_PER_S;
    f->left_ns = 0;
    f->lost_path = false;
    tail_unlink(&f->ready);
    tail_unlink(&f->timed);
    tail_unlink(&f->checked);
    tail_make_dirty(t, f);
}

void tail_file_set_path(tail *t, tail_file *f, const char *path)
{
    if (f->path) {
        tail_index_remove(&t->by_path, path_key(f->path), f);
        tail_index_remove(&t->by_base, base_key(f->path), f);
    }
    char *copy = path ? sl_strdup(path) : NULL;
    sl_free(f->path);
    f->path = copy;
    if (copy) {
        tail_index_add(&t->by_path, path_key(copy), f);
        tail_index_add(&t->by_base, base_key(copy), f);
    }
}

void tail_file_set_head(tail *t, tail_file *f, tail_head head)
{
    if (f->head.len) {
        tail_index_remove(&t->by_head, head_key(f->head), f);
        t->head_lens[f->head.len]--;
    }
    f->head = head;
    if (head.len) {
        tail_index_add(&t->by_head, head_key(head), f);
        t->head_lens[head.len]++;
    }
}

/* ---- inodes ---- */

static void take_fd(tail *t, tail_file *f, int fd)
{
    f->fd = fd;
    t->n_open++;
    tail_append(&t->opened, &f->opened);
}

static void take_stat(tail_file *f, const struct stat *st)
{
    f->dev = st->st_dev;
    f->ino = st->st_ino;
    f->size = (uint64_t)st->st_size;
    f->mtime_ns = tail_mtime_ns(st);
    f->changed_ns = sl_clock_mono_ns();
}

void tail_file_bind(tail *t, tail_file *f, const struct stat *st, int64_t born_ns, int fd)
{
    index_inode(t, f, false);
    take_stat(f, st);
    f->born_ns = born_ns;
    index_inode(t, f, true);
    if (fd >= 0) take_fd(t, f, fd);
}

void tail_file_expect(tail *t, tail_file *f)
{
    f->end = TAIL_END_UNSEEN;
    index_inode(t, f, true);
}

void tail_file_rebind(tail *t, tail_file *to, tail_file *from)
{
    index_inode(t, to, false);
    index_inode(t, from, false);
    to->dev = from->dev;
    to->ino = from->ino;
    to->born_ns = from->born_ns;
    to->size = from->size;
    to->mtime_ns = from->mtime_ns;
    to->changed_ns = from->changed_ns;
    to->left_ns = from->left_ns;
    to->deleted = from->deleted;
    to->lost_path = from->lost_path;
    to->rotated = from->rotated;
    to->gen = from->gen;
    index_inode(t, to, true);
    int id = from->watch_id;
    tail_file_set_watch(t, from, -1);
    tail_file_set_watch(t, to, id);
    to->fd = from->fd;
    from->fd = -1;
    if (tail_is_linked(&from->opened)) {
        tail_unlink(&from->opened);
        tail_append(&t->opened, &to->opened);
    }
    tail_file_set_path(t, to, from->path);
}

/* ---- descriptors ---- */

#define CLOSE_CHOICE 16

/* A file that has got a name that is not followed keeps it as a rule: all read, it may be closed as well.
 * Else many that were rotated at once would leave no descriptor for any other. */
static bool may_be_closed(const tail *t, const tail_file *f)
{
    if (f->deleted || f->lost_path || f->state == TAIL_HELD || f == t->admitting) return false;
    return !f->left_ns || f->pos.off >= f->size;
}

/* Closes one that can be opened again by its name: of those that were used longest ago the first with nothing
 * unread, or else the very first. Few are looked at, since while thousands of files are met none is read. */
static bool close_one(tail *t)
{
    tail_file *chosen = NULL;
    unsigned choice = 0;
    for (tail_link *at = t->opened.next; at != &t->opened && choice < CLOSE_CHOICE; at = at->next) {
        tail_file *f = TAIL_FILE(at, opened);
        if (!may_be_closed(t, f)) continue;
        bool all_read = f->pos.off >= f->size;
        if (all_read || !chosen) chosen = f;
        if (all_read) break;
        choice++;
    }
    if (!chosen) return false;
    tail_file_close(t, chosen);
    sl_counter_add(t->count.closed_early, 1);
    return true;
}

int tail_open(tail *t, const char *path, struct stat *st)
{
    while (t->n_open >= t->max_open && close_one(t)) {
    }
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
    int fd = sl_fs_open(path, flags, 0);
    if ((fd == -EMFILE || fd == -ENFILE) && close_one(t)) {
        if (t->n_open > TAIL_MIN_OPEN) t->max_open = t->n_open;
        fd = sl_fs_open(path, flags, 0);
    }
    if (fd < 0) return fd;
    int rc = sl_fs_fstat(fd, st);
    if (rc == 0 && !S_ISREG(st->st_mode)) rc = -EINVAL;
    if (rc == 0) return fd;
    sl_fs_close(fd);
    return rc;
}

int tail_file_open(tail *t, tail_file *f)
{
    if (f->fd >= 0) {
        tail_unlink(&f->opened);
        tail_append(&t->opened, &f->opened);
        return 0;
    }
    struct stat st;
    int fd = tail_open(t, f->path, &st);
    if (fd < 0) return fd;
    if (st.st_dev != f->dev || st.st_ino != f->ino) {
        sl_fs_close(fd);
        return -ESTALE;
    }
    take_fd(t, f, fd);
    return 0;
}

void tail_file_close(tail *t, tail_file *f)
{
    if (f->fd < 0) return;
    sl_fs_close(f->fd);
    f->fd = -1;
    t->n_open--;
    tail_unlink(&f->opened);
}
