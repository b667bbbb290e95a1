/* events.c: turns the kernel's events into files to read, paths to check and names to meet.
 *
 * Events only take notes; tail_work() acts on them. A rename of a wanted file to a name that no pattern
 * matches is followed by the cookie that its two halves share: such a file is met under its new name even if
 * nobody has seen it under the old one. By the time it is looked for there it may have gone on to a third,
 * which later events tell: its name is remembered until the file is known to have left it. So rotations that
 * are faster than the reader lose nothing.
 */
#include "tail_int.h"

#define MAX_ADOPTED 100000 /* names remembered */

static void add_name(tail *t, const char *path, bool is_folder, bool adopted)
{
    if (t->names.count == t->names.cap) {
        t->names.cap = t->names.cap ? t->names.cap * 2 : 64;
        t->names.items = sl_realloc(t->names.items, t->names.cap * sizeof *t->names.items);
    }
    t->names.items[t->names.count++] = (tail_name){sl_strdup(path), is_folder, adopted};
}

static bool is_adopted(const tail *t, const char *path)
{
    size_t at = 0;
    return tail_index_next(&t->adopted, tail_hash(path, strlen(path)), &at);
}

static void note_adopted(tail *t, const char *path)
{
    if (tail_is_wanted(t, path) || is_adopted(t, path)) return;
    if (t->adopted.count >= MAX_ADOPTED) tail_index_release(&t->adopted);
    tail_index_add(&t->adopted, tail_hash(path, strlen(path)), t);
}

void tail_forget_adopted(tail *t, const char *path)
{
    tail_index_remove(&t->adopted, tail_hash(path, strlen(path)), t);
}

static void on_name(tail *t, const tail_folder *d, const sl_watch_event *event)
{
    char path[TAIL_MAX_PATH];
    size_t len = strlen(d->path), name_len = strlen(event->name);
    if (len + 1 + name_len >= sizeof path) return; /* the walk refuses it too, and counts it */
    memcpy(path, d->path, len);
    if (len > 1) path[len++] = '/'; /* not after the root */
    memcpy(path + len, event->name, name_len + 1);
    bool is_folder = event->mask & IN_ISDIR, adopted = false;
    if (event->mask & IN_MOVED_FROM) {
        t->move.cookie = event->cookie;
        t->move.adopted = !is_folder && (tail_is_wanted(t, path) || is_adopted(t, path));
    } else if (event->mask & IN_MOVED_TO) {
        adopted = t->move.cookie == event->cookie && t->move.adopted;
    }
    if (!(event->mask & IN_ATTRIB)) tail_forget_adopted(t, path); /* left, or another file's */
    if (adopted) note_adopted(t, path);
    add_name(t, path, is_folder, adopted);
}

static void on_folder_event(tail *t, const sl_watch_event *event)
{
    if (event->mask & IN_IGNORED) {
        tail_folder_gone(t, event->id);
        t->scan_all = true;
        return;
    }
    if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) t->scan_all = true;
    if (!*event->name) return;
    size_t at = 0;
    for (tail_folder *d; (d = tail_folder_of_watch(t, event->id, &at));)
        on_name(t, d, event);
}

static tail_file *file_of_watch(const tail *t, int id)
{
    size_t at = 0;
    return tail_index_next(&t->by_watch, (uint64_t)id, &at);
}

static void on_event(tail *t, const sl_watch_event *event)
{
    if (event->id < 0) {
        sl_counter_add(t->count.overflows, 1);
        tail_log(t, TAIL_MSG_WATCH, SL_LOG_WARN,
                 "the kernel lost events (fs.inotify.max_queued_events): everything is looked at once");
        t->scan_all = t->look_at_all = true;
        tail_index_release(&t->adopted);
        return;
    }
    tail_file *f = file_of_watch(t, event->id);
    if (!f) {
        on_folder_event(t, event);
    } else if (event->mask & IN_IGNORED) {
        tail_file_set_watch(t, f, -1);
    } else {
        tail_make_ready(t, f);
        if (event->mask & (IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)) tail_make_checked(t, f);
    }
}

void tail_note_events(tail *t, const sl_watch_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        on_event(t, &events[i]);
}

/* ---- names ---- */

static bool leads_to_folder(const tail *t, const tail_name *name)
{
    if (!tail_globs_leads(t->conf->wanted, name->path)) return false;
    struct stat st;
    return name->is_folder || (sl_fs_lstat(name->path, &st) == 0 && S_ISLNK(st.st_mode) &&
                               sl_fs_stat(name->path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* A known file may have been renamed to a name that nobody wants. */
static void meet_known(tail *t, const char *path)
{
    struct stat st;
    if (sl_fs_stat(path, &st) < 0) return;
    tail_file *f = tail_find_inode(t, st.st_dev, st.st_ino);
    if (f && tail_has_inode(f)) tail_meet(t, path, false);
}

void tail_work_off_names(tail *t)
{
    size_t count = t->names.count;
    for (size_t i = 0; i < count; i++) {
        tail_name *name = &t->names.items[i];
        if (leads_to_folder(t, name)) tail_scan_below(t, name->path);
        if (name->is_folder) continue;
        if (name->adopted || tail_is_wanted(t, name->path))
            tail_meet(t, name->path, name->adopted);
        else
            meet_known(t, name->path);
    }
    for (size_t i = 0; i < count; i++)
        sl_free(t->names.items[i].path);
    t->names.count = 0;
}

void tail_names_release(tail *t)
{
    for (size_t i = 0; i < t->names.count; i++)
        sl_free(t->names.items[i].path);
    sl_free(t->names.items);
}
