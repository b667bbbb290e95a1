/* discover.c: from names to inodes to generations.
 *
 * A path is met when a scan or an event names it. What it leads to is known by its inode; whether an inode
 * still holds the bytes that are known of it is proven by hashes (identity.c), at the latest before the next
 * read. A file is opened as soon as it is met, so that it can be read to its end whatever happens to its
 * name.
 */
#include "tail_int.h"
#include <errno.h>

bool tail_is_wanted(const tail *t, const char *path)
{
    if (tail_lead_to(t, path)) return true;
    return tail_globs_match(t->conf->wanted, path) && !tail_globs_match(t->conf->unwanted, path);
}

/* ---- what cannot be followed ---- */

#define MAX_ODD 10000

static void open_failed(tail *t, const char *path, int error)
{
    sl_counter_add(t->count.open_errors, 1);
    t->scan_again = true;
    tail_log(t, TAIL_MSG_OPEN, SL_LOG_WARN, "%s cannot be opened: %s; it is tried again", path,
             strerror(error));
}

/* Told once an inode: scans meet it again and again. */
static void is_odd(tail *t, const char *path, const struct stat *st)
{
    uint64_t key = (uint64_t)st->st_ino ^ ((uint64_t)st->st_dev << 40);
    size_t at = 0;
    if (tail_index_next(&t->odd, key, &at)) return;
    if (t->odd.count >= MAX_ODD) tail_index_release(&t->odd);
    tail_index_add(&t->odd, key, t);
    sl_counter_add(t->count.not_regular, 1);
    tail_log(t, TAIL_MSG_KIND, SL_LOG_WARN, "%s matches `path` but is a %s, not a file: left alone", path,
             S_ISDIR(st->st_mode)    ? "folder"
             : S_ISFIFO(st->st_mode) ? "pipe"
             : S_ISSOCK(st->st_mode) ? "socket"
                                     : "device");
}

/* ---- known files ---- */

static bool leads_to(const char *path, const tail_file *f)
{
    struct stat st;
    return sl_fs_stat(path, &st) == 0 && st.st_dev == f->dev && st.st_ino == f->ino;
}

/* The name that records bear is one that a pattern matches. */
static void show(tail *t, tail_file *f)
{
    const char *link = tail_lead_to(t, f->path);
    bool matched = tail_globs_match(t->conf->wanted, f->path);
    if (!matched && !link) return;
    sl_free(f->shown);
    f->shown = matched ? NULL : sl_strdup(link);
}

void tail_renamed(tail *t, tail_file *f, const char *path)
{
    bool wanted = tail_is_wanted(t, path);
    if (!wanted && !f->shown) f->shown = sl_strdup(f->path);
    tail_file_set_path(t, f, path);
    show(t, f);
    f->lost_path = false;
    f->rotated = true;
    f->changed_ns = sl_clock_mono_ns(); /* its writer may not know yet */
    sl_counter_add(t->count.rotations, 1);
    sl_debug(sl_input_name(t->in), "%s is the new name of inode %llu", path, (unsigned long long)f->ino);
    if (wanted)
        f->left_ns = 0;
    else if (!f->left_ns)
        tail_file_left(t, f, false);
    if (f->state == TAIL_FOLLOWED) tail_make_dirty(t, f);
    tail_make_ready(t, f);
}

static void met_again(tail *t, tail_file *f, const char *path, const struct stat *st)
{
    f->gen = t->gen;
    if (strcmp(f->path, path) == 0)
        f->lost_path = false;
    else if (f->lost_path || !leads_to(f->path, f) || (f->left_ns && tail_is_wanted(t, path)))
        tail_renamed(t, f, path); /* else a second name of it: the first one stays */
    if (f->left_ns && !f->lost_path && tail_is_wanted(t, f->path)) {
        f->left_ns = 0;
        show(t, f);
    }
    if (f->size != (uint64_t)st->st_size || f->mtime_ns != tail_mtime_ns(st)) tail_make_ready(t, f);
}

/* The path leads to something else now: who had it before has been moved or deleted. */
static void check_old_owner(tail *t, const char *path, const struct stat *st)
{
    tail_file *owner = tail_find_path(t, path);
    if (owner && !(st && st->st_dev == owner->dev && st->st_ino == owner->ino)) tail_make_checked(t, owner);
}

/* ---- files of the database ---- */

static void revived(tail *t, tail_file *f, const char *path, const struct stat *st, int64_t born_ns, int fd,
                    tail_head head)
{
    /* Else a second name of it: the first one stays. */
    bool moved = strcmp(f->path, path) != 0 && !(tail_is_wanted(t, f->path) && leads_to(f->path, f));
    tail_file_set_state(t, f, TAIL_FOLLOWED);
    tail_file_bind(t, f, st, born_ns, fd);
    tail_file_set_head(t, f, head);
    f->gen = t->gen;
    f->waiting = false;
    sl_debug(sl_input_name(t->in), "%s is known: inode %llu goes on at offset %llu", path,
             (unsigned long long)f->ino, (unsigned long long)f->pos.off);
    if (moved) tail_renamed(t, f, path);
    show(t, f);
    if (!tail_is_wanted(t, f->path) && !f->left_ns) tail_file_left(t, f, false);
    tail_watch_file(t, f);
    if (f->size > f->pos.off) tail_make_ready(t, f);
}

/* The inode is the same; are the bytes? TAIL_SAME: f goes on with fd. TAIL_UNKNOWN: ask again later. Else f
 * has ended. */
static tail_verdict revive(tail *t, tail_file *f, const char *path, const struct stat *st, int64_t born_ns,
                           int fd)
{
    tail_head head = f->head;
    if (born_ns && f->born_ns && born_ns != f->born_ns) { /* another file on a used inode */
        tail_file_end(t, f, TAIL_END_MISSED);
        return TAIL_OTHER;
    }
    tail_verdict verdict = tail_verify(fd, (uint64_t)st->st_size, &f->pos, &head);
    if (verdict == TAIL_SAME) {
        revived(t, f, path, st, born_ns, fd, head);
    } else if (verdict != TAIL_UNKNOWN) {
        sl_counter_add(t->count.truncations, 1);
        tail_file_end(t, f, TAIL_END_TRUNCATED);
    }
    return verdict;
}

/* ---- new files ---- */

static bool is_too_old(const tail *t, const struct stat *st)
{
    int64_t limit = t->conf->ignore_older;
    return limit && sl_clock_wall_ns() - tail_mtime_ns(st) > limit;
}

static tail_file *add_file(tail *t, const char *path, const struct stat *st, int64_t born_ns, int fd)
{
    tail_file *f = tail_file_new(t);
    tail_file_set_path(t, f, path);
    tail_file_bind(t, f, st, born_ns, fd);
    show(t, f);
    f->gen = t->gen;
    if ((t->first_scan && t->conf->read_from == TAIL_FROM_END) || is_too_old(t, st)) {
        f->start = TAIL_START_LINE;
        f->start_off = f->size;
    }
    sl_counter_add(t->count.files_found, 1);
    sl_debug(sl_input_name(t->in), "%s is new: inode %llu, %llu bytes", path, (unsigned long long)f->ino,
             (unsigned long long)f->size);
    tail_watch_file(t, f);
    tail_make_ready(t, f);
    return f;
}

static bool is_over_limit(tail *t, const char *path)
{
    if (t->n_files < TAIL_MAX_FILES) return false;
    sl_counter_add(t->count.over_limit, 1);
    t->scan_again = true;
    tail_log(t, TAIL_MSG_LIMIT, SL_LOG_ERROR, "%s is not read: %u files are known already", path,
             TAIL_MAX_FILES);
    return true;
}

static void meet_open(tail *t, const char *path, const struct stat *st, int fd, bool adopted)
{
    int64_t born_ns = sl_fs_birth_ns(fd);
    tail_file *known = tail_find_inode(t, st->st_dev, st->st_ino);
    if (known && tail_has_inode(known)) { /* it became another one while it was opened */
        sl_fs_close(fd);
        met_again(t, known, path, st);
        return;
    }
    tail_verdict verdict = known ? revive(t, known, path, st, born_ns, fd) : TAIL_OTHER;
    if (verdict == TAIL_SAME) return;
    if (verdict == TAIL_UNKNOWN) {
        known->waiting = true;
        sl_fs_close(fd);
        open_failed(t, path, EIO);
        return;
    }
    tail_file *f = add_file(t, path, st, born_ns, fd);
    if (verdict == TAIL_SHRUNK) {
        f->start = TAIL_START_EXACT;
        f->start_off = f->size;
    }
    /* Seen by a scan: how often was the name rotated since the last one? */
    if (t->scanning && !t->first_scan && !adopted) tail_meet_rotated(t, path);
    if (adopted) f->rotated = true;
    if (adopted && !tail_is_wanted(t, path)) tail_file_left(t, f, false);
    /* Now that the inode has an owner: where are the bytes it held before? */
    if (known && known->end == TAIL_END_TRUNCATED && verdict == TAIL_OTHER)
        tail_seek_copy(t, known, known->size);
}

/* No pattern says that this path is ours: the birth time must, or at least a name that is rotated from the
 * same. */
static bool is_same_file(const tail_file *f, const char *path, int64_t born_ns)
{
    if (born_ns && f->born_ns) return born_ns == f->born_ns;
    char *from = tail_rotated_from(path), *was = tail_rotated_from(f->path);
    bool same = strcmp(from ? from : path, was ? was : f->path) == 0;
    sl_free(from);
    sl_free(was);
    return same;
}

void tail_meet_unseen(tail *t, tail_file *f, const char *path)
{
    struct stat st;
    int fd = tail_open(t, path, &st);
    if (fd < 0) return;
    if (st.st_dev == f->dev && st.st_ino == f->ino && is_same_file(f, path, sl_fs_birth_ns(fd)))
        meet_open(t, path, &st, fd, true);
    else
        sl_fs_close(fd);
}

static void meet_path(tail *t, const char *path, bool adopted)
{
    struct stat st;
    int rc = sl_fs_stat(path, &st);
    check_old_owner(t, path, rc == 0 ? &st : NULL);
    if (rc < 0) {
        if (rc != -ENOENT && rc != -ENOTDIR) open_failed(t, path, -rc);
        return;
    }
    tail_file *f = tail_find_inode(t, st.st_dev, st.st_ino);
    if (f && tail_has_inode(f)) {
        met_again(t, f, path, &st);
        return;
    }
    if (!S_ISREG(st.st_mode)) {
        is_odd(t, path, &st);
        return;
    }
    if (is_over_limit(t, path)) return;
    int fd = tail_open(t, path, &st);
    if (fd >= 0)
        meet_open(t, path, &st, fd, adopted);
    else if (fd != -ENOENT && fd != -EINVAL)
        open_failed(t, path, -fd);
}

void tail_meet(tail *t, const char *path, bool adopted)
{
    char *target = tail_lead_follow(t, path);
    meet_path(t, target ? target : path, adopted);
    sl_free(target);
}

/* ---- scans ---- */

static void on_folder(void *arg, const char *path)
{
    tail_folder_seen(arg, path);
}

static void on_found(void *arg, const char *path)
{
    tail *t = arg;
    if (!tail_globs_match(t->conf->unwanted, path)) tail_meet(t, path, false);
}

static void on_failed(void *arg, const char *path, int error)
{
    open_failed(arg, path, error);
}

/* Files whose path was not seen in this scan: moved or deleted, or closed and no longer wanted. */
static void check_unseen(tail *t, const char *only)
{
    for (tail_link *at = t->files.next; at != &t->files; at = at->next) {
        tail_file *f = TAIL_FILE(at, all);
        if (tail_has_inode(f) && f->gen != t->gen && !f->left_ns && !f->lost_path &&
            (!only || tail_is_below(f->path, only)))
            tail_make_checked(t, f);
    }
}

static void scan(tail *t, const char *only)
{
    t->gen++;
    t->scanning = true;
    tail_walk walk = {on_folder, on_found, on_failed, t, only};
    tail_globs_walk(t->conf->wanted, &walk);
    tail_leads_scan(t, only);
    t->scanning = false;
    tail_folders_sweep(t, only);
    check_unseen(t, only);
}

void tail_scan_all(tail *t, bool first)
{
    t->first_scan = first;
    t->scan_again = false;
    scan(t, NULL);
    t->first_scan = false;
}

void tail_scan_below(tail *t, const char *only)
{
    scan(t, only);
}

/* ---- paths ---- */

/* False: its path leads elsewhere, and where it is now must be looked for. */
static bool has_its_path(tail *t, tail_file *f)
{
    struct stat st;
    int rc = sl_fs_stat(f->path, &st);
    if (rc == 0 && st.st_dev == f->dev && st.st_ino == f->ino) {
        f->lost_path = false;
        return true;
    }
    f->lost_path = true;
    if (tail_is_wanted(t, f->path)) tail_meet(t, f->path, false);
    if (f->fd >= 0 && sl_fs_fstat(f->fd, &st) == 0 && st.st_nlink == 0) {
        tail_file_left(t, f, true);
        return true;
    }
    return false;
}

/* Nowhere to be seen: what is open is read to its end, what is not is gone. */
static void give_up_path(tail *t, tail_file *f)
{
    if (f->fd >= 0) {
        if (!f->left_ns) tail_file_left(t, f, false);
        return;
    }
    if (f->size > f->pos.off) {
        sl_counter_add(t->count.lost_files, 1);
        sl_counter_add(t->count.lost_bytes, f->size - f->pos.off);
        tail_log(t, TAIL_MSG_LOST, SL_LOG_ERROR,
                 "%s was moved or deleted while closed (`max_open_files`): %llu bytes after offset %llu were "
                 "not read",
                 f->path, (unsigned long long)(f->size - f->pos.off), (unsigned long long)f->pos.off);
    }
    tail_file_end(t, f, TAIL_END_MISSED);
}

/* One search of a folder finds every lost file in it. */
static void find_lost(tail *t, tail_file *f)
{
    char *old_path = sl_strdup(f->path);
    if (f->lost_path) tail_find_renamed(t, old_path);
    if (f->lost_path)
        give_up_path(t, f);
    else
        tail_meet_between(t, f);
    sl_free(old_path);
}

void tail_check_paths(tail *t)
{
    tail_link lost;
    tail_link_init(&lost);
    tail_index_release(&t->searched);
    while (tail_is_linked(&t->checked)) {
        tail_file *f = TAIL_FILE(t->checked.next, checked);
        tail_unlink(&f->checked);
        if (!has_its_path(t, f)) tail_append(&lost, &f->checked);
    }
    while (tail_is_linked(&lost)) {
        tail_file *f = TAIL_FILE(lost.next, checked);
        tail_unlink(&f->checked);
        find_lost(t, f);
    }
}

/* Ended with bytes that may not have been read: told, as nobody else can. */
static void missed(tail *t, tail_file *f)
{
    if (f->size > f->ckpt.off) {
        sl_counter_add(t->count.lost_files, 1);
        sl_counter_add(t->count.lost_bytes, f->size - f->ckpt.off);
        tail_log(t, TAIL_MSG_LOST, SL_LOG_WARN,
                 "%s disappeared while the agent was stopped: what followed offset %llu cannot be read "
                 "unless a copy "
                 "of it turns up",
                 f->path, (unsigned long long)f->ckpt.off);
    }
    tail_file_end(t, f, TAIL_END_MISSED);
}

void tail_find_unseen(tail *t)
{
    tail_index_release(&t->searched);
    for (tail_link *at = t->files.next, *next; at != &t->files; at = next) {
        next = at->next;
        tail_file *f = TAIL_FILE(at, all);
        if (f->state != TAIL_ENDED || f->end != TAIL_END_UNSEEN) continue;
        char *old_path = sl_strdup(f->path);
        tail_find_renamed(t, old_path);
        next = at->next; /* new files are appended */
        if (!tail_has_inode(f) && f->end == TAIL_END_UNSEEN && !f->waiting) missed(t, f);
        sl_free(old_path);
    }
    tail_meet_all_between(t);
}
