/* tail.c: the tail input: options, start and stop, and the order of work in a turn of the loop.
 *
 * Pace: the first event after a pause is acted on at once; then events wait in the kernel for the next pause
 * (tail_times), so that a program that writes a thousand lines a second wakes us thirty times, not a
 * thousand. A flooded file gives way to the others after each batch, and all of them to the loop after a few.
 */
#include "tail_int.h"
#include <sys/resource.h>

#define MAX_TURNS 256 /* files looked at before the loop has its turn */

tail_times tail_default_times = {
    .pause = 35 * SL_NS_PER_MS,
    .pause_a_batch = 100 * SL_NS_PER_US,
    .pause_max = 250 * SL_NS_PER_MS,
    .save = SL_NS_PER_S,
    .check = 250 * SL_NS_PER_MS,
    .rescan = 10 * SL_NS_PER_S,
    .quiet = 5 * SL_NS_PER_S,
    .hold = 5 * SL_NS_PER_S,
    .linger_deleted = 60 * SL_NS_PER_S,
    .linger_renamed = 600 * SL_NS_PER_S,
    .keep_ended = 24 * 3600 * SL_NS_PER_S,
};

/* ---- options ---- */

static const char *const read_from_names[] = {"start", "end", NULL};
static const char *const watch_names[] = {"auto", "inotify", "poll", NULL};

#define AT(field) offsetof(tail_conf, field)
static const sl_option options[] = {
    {"path", SL_OPT_STRING, AT(path), .flags = SL_OPT_LIST | SL_OPT_REQUIRED | SL_OPT_MAIN,
     .help = "Files to follow: paths or patterns with `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any number of "
             "folders."},
    {"exclude", SL_OPT_STRING, AT(exclude), .flags = SL_OPT_LIST,
     .help = "What not to follow: patterns as in `path`; one without `/` is about the last name alone, as "
             "`*.gz`."},
    {"read_from", SL_OPT_ENUM, AT(read_from), .def = "start", .names = read_from_names,
     .help = "Where files are read from that are there when the agent sees its `data_dir` for the first "
             "time: their "
             "`start`, or their `end`. Files that appear later are read from their start."},
    {"max_line", SL_OPT_SIZE, AT(max_line), .def = "1MiB", .min = 256, .max = 1u << 28,
     .help = "Longer lines are cut there, between two characters, marked and counted; memory stays small."},
    {"ignore_older", SL_OPT_DURATION, AT(ignore_older), .def = "0s",
     .help = "New files not written to for so long are read from their end only. `0s`: none are."},
    {"include_file", SL_OPT_BOOL, AT(include_file), .def = "false",
     .help = "Adds the path of the file to each record."},
    {"file_field", SL_OPT_STRING, AT(file_field), .def = "file", .help = "Name of that field."},
    {"include_offset", SL_OPT_BOOL, AT(include_offset), .def = "false",
     .help = "Adds `offset`, the byte at which the line begins in its file."},
    {"skip_empty_lines", SL_OPT_BOOL, AT(skip_empty_lines), .def = "true",
     .help = "Leaves empty lines out and counts them."},
    {"watch", SL_OPT_ENUM, AT(watch), .def = "auto", .names = watch_names,
     .help = "How changes are noticed: by `inotify`, by `poll`, or `auto`: inotify where it sees everything, "
             "polling on "
             "network and overlay file systems."},
    {"poll_interval", SL_OPT_DURATION, AT(poll_interval), .def = "250ms", .min = 10e6, .max = 60e9,
     .help = "How often what cannot be watched is looked at."},
    {"max_open_files", SL_OPT_INT, AT(max_open_files), .def = "16384", .min = TAIL_MIN_OPEN, .max = 1 << 20,
     .unit = "files",
     .help =
         "With more files, those that were read longest ago are closed and opened again when they change."},
    {0}};

static int check(void *conf, sl_err *err)
{
    tail_conf *c = conf;
    if (c->file_field.len == 0) return sl_err_set(err, SL_E_CONFIG, "option `file_field`: must not be empty");
    c->wanted = tail_globs_new(c->path, TAIL_GLOB_PATHS, err);
    if (!c->wanted) return sl_err_prefix(err, "option `path`");
    c->unwanted = tail_globs_new(c->exclude, TAIL_GLOB_NAMES, err);
    if (!c->unwanted) return sl_err_prefix(err, "option `exclude`");
    return 0;
}

static void conf_release(void *conf)
{
    tail_conf *c = conf;
    tail_globs_free(c->wanted);
    tail_globs_free(c->unwanted);
}

/* ---- a turn ---- */

static void discover_noted(tail *t)
{
    tail_work_off_names(t);
    if (t->scan_all) {
        t->scan_all = false;
        tail_scan_all(t, false);
    }
    if (t->look_at_all) {
        t->look_at_all = false;
        tail_look_at_files(t, false);
    }
    tail_check_paths(t);
}

/* Before a new file becomes known for good, everything is met that happened before it was made: else a kill
 * between the two would leave a file rotated in between unknown, and older than what is known. */
static void discover(tail *t)
{
    uint64_t found = t->count.files_found->value;
    discover_noted(t);
    if (t->watch && t->count.files_found->value != found) {
        sl_watch_read(t->watch);
        discover_noted(t);
    }
}

/* Round robin: a file that wants more goes to the end of the list. */
static void read_ready(tail *t)
{
    uint32_t until = t->batches + TAIL_TURN_BATCHES;
    for (int i = 0; i < MAX_TURNS && t->batches < until && tail_is_linked(&t->ready); i++) {
        if (!sl_input_may_read(t->in)) return;
        tail_file *f = TAIL_FILE(t->ready.next, ready);
        tail_unlink(&f->ready);
        if (tail_follow(t, f)) tail_make_ready(t, f);
    }
}

static void finish_once(tail *t)
{
    if (!sl_input_once(t->in) || t->finished || tail_is_linked(&t->ready) || tail_is_linked(&t->fresh) ||
        tail_is_linked(&t->named))
        return;
    t->finished = true;
    uint64_t unread = sl_counter_get(t->count.open_errors) + sl_counter_get(t->count.read_errors);
    sl_err err = SL_ERR_NONE;
    sl_err_set(&err, SL_E_IO, "%llu files or folders could not be read, see the log",
               (unsigned long long)unread);
    if (unread) sl_input_not_ready(t->in, &err);
    sl_input_finished(t->in);
}

void tail_work(tail *t)
{
    if (t->stopped) return;
    discover(t);
    tail_admit(t);
    read_ready(t);
    if (tail_is_linked(&t->fresh) || (tail_is_linked(&t->ready) && sl_input_may_read(t->in))) tail_post(t);
    finish_once(t);
}

static void destroy(tail *t);

static void on_work(sl_message *msg)
{
    tail *t = sl_container_of(msg, tail, work);
    t->work_posted = false;
    if (t->dying)
        destroy(t);
    else
        tail_work(t);
}

void tail_post(tail *t)
{
    if (t->work_posted || t->stopped) return;
    t->work_posted = true;
    sl_loop_post(t->loop, &t->work);
}

/* ---- events and timers ---- */

static void on_events(void *arg, const sl_watch_event *events, size_t count)
{
    tail *t = arg;
    if (t->stopped) return;
    tail_note_events(t, events, count);
    if (count) return;
    tail_work(t);
    if (t->stopped) return;
    int64_t pause = t->times.pause + t->batches * t->times.pause_a_batch;
    sl_watch_stop(t->watch);
    sl_timer_start(t->pace, pause < t->times.pause_max ? pause : t->times.pause_max, 0);
}

static void on_pace(void *arg)
{
    tail *t = arg;
    t->batches = 0;
    sl_watch_start(t->watch);
}

void tail_save_later(tail *t)
{
    if (!t->stopped && !sl_timer_is_active(t->save))
        sl_timer_start(t->save, sl_clock_early(t->times.save, t->started_ns), 0);
}

static void on_save(void *arg)
{
    tail *t = arg;
    if (tail_is_linked(&t->named) ? tail_save_named(t) : (tail_save(t, false), false)) tail_post(t);
}

void tail_check_later(tail *t)
{
    if (!t->stopped && !sl_input_once(t->in) && !sl_timer_is_active(t->check))
        sl_timer_start(t->check, t->times.check, t->times.check);
}

static void on_check(void *arg)
{
    tail *t = arg;
    tail_check_times(t);
    if (!tail_is_linked(&t->timed)) sl_timer_stop(t->check);
    tail_work(t);
}

static void on_poll(void *arg)
{
    tail *t = arg;
    t->poll_round++;
    bool folders = tail_folders_check(t, true);
    bool files = tail_look_at_files(t, true);
    if (!folders && !files) sl_timer_stop(t->poll);
    tail_work(t);
}

static void on_rescan(void *arg)
{
    tail *t = arg;
    if (t->scan_again || sl_timer_is_active(t->poll))
        t->scan_all = true;
    else
        tail_folders_check(t, false);
    tail_leads_check(t);
    t->look_at_all = true;
    tail_forget_ended(t);
    tail_work(t);
}

/* ---- start and stop ---- */

static size_t open_limit(const tail_conf *conf)
{
    struct rlimit limit;
    size_t max = (size_t)conf->max_open_files;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return max;
    size_t room = limit.rlim_cur > TAIL_RESERVED_OPEN + TAIL_MIN_OPEN ? limit.rlim_cur - TAIL_RESERVED_OPEN
                                                                      : TAIL_MIN_OPEN;
    return max < room ? max : room;
}

static void make_counters(tail *t)
{
#define MAKE(field, name, help) t->count.field = sl_input_counter(t->in, name, help);
    TAIL_COUNTERS(MAKE)
#undef MAKE
}

static void init(tail *t, sl_input *in, const tail_conf *conf)
{
    t->in = in;
    t->conf = conf;
    t->loop = sl_input_loop(in);
    t->db = sl_input_state(in);
    t->times = tail_default_times;
    t->started_ns = sl_clock_mono_ns();
    t->work.run = on_work;
    t->max_open = open_limit(conf);
    tail_link *heads[] = {&t->files, &t->fresh,   &t->ready, &t->opened,  &t->dirty,
                          &t->timed, &t->checked, &t->named, &t->folders, &t->leads};
    for (size_t i = 0; i < SL_LEN(heads); i++)
        tail_link_init(heads[i]);
    make_counters(t);
    t->pace = sl_timer_new(t->loop, on_pace, t);
    t->save = sl_timer_new(t->loop, on_save, t);
    t->check = sl_timer_new(t->loop, on_check, t);
    t->poll = sl_timer_new(t->loop, on_poll, t);
    t->rescan = sl_timer_new(t->loop, on_rescan, t);
}

static void start_watching(tail *t)
{
    if (sl_input_once(t->in)) return;
    sl_timer_start(t->rescan, t->times.rescan, t->times.rescan);
    if (t->conf->watch == TAIL_WATCH_POLL) return;
    sl_err err = SL_ERR_NONE;
    t->watch = sl_watch_new(t->loop, on_events, t, &err);
    if (t->watch)
        sl_watch_start(t->watch);
    else
        sl_warn(sl_input_name(t->in), "%s; files are polled every %lld ms", err.text,
                (long long)(t->conf->poll_interval / SL_NS_PER_MS));
}

static void *start(sl_input *in, const void *conf, sl_err *err)
{
    tail *t = sl_calloc(1, sizeof *t);
    init(t, in, conf);
    if (tail_load(t, err) < 0) {
        t->stopped = true;
        destroy(t);
        return NULL;
    }
    start_watching(t);
    tail_scan_all(t, true);
    tail_find_unseen(t);
    tail_post(t);
    return t;
}

static void resume(void *self)
{
    tail_post(self);
}

static void stop_timers(tail *t)
{
    sl_timer *timers[] = {t->pace, t->save, t->check, t->poll, t->rescan};
    for (size_t i = 0; i < SL_LEN(timers); i++)
        sl_timer_stop(timers[i]);
    if (t->watch) sl_watch_stop(t->watch);
}

static void stop(void *self)
{
    tail *t = self;
    if (t->stopped) return;
    t->look_at_all = true; /* what was deleted a moment ago is known as such */
    discover(t);
    tail_admit(t);
    tail_read_deleted(t);
    t->stopped = true;
    stop_timers(t);
}

static void destroy(tail *t)
{
    sl_watch_free(t->watch); /* takes every watch with it */
    t->watch = NULL;
    while (tail_is_linked(&t->files))
        tail_file_free(t, TAIL_FILE(t->files.next, all));
    tail_leads_free(t);
    tail_folders_free(t);
    tail_names_release(t);
    tail_index *indexes[] = {&t->by_inode, &t->by_path,  &t->by_base, &t->by_head,
                             &t->by_watch, &t->searched, &t->odd,     &t->adopted};
    for (size_t i = 0; i < SL_LEN(indexes); i++)
        tail_index_release(indexes[i]);
    sl_timer *timers[] = {t->pace, t->save, t->check, t->poll, t->rescan};
    for (size_t i = 0; i < SL_LEN(timers); i++)
        sl_timer_free(timers[i]);
    sl_free(t);
}

static void free_tail(void *self)
{
    tail *t = self;
    t->stopped = true;
    tail_save(t, true);
    if (t->work_posted)
        t->dying = true; /* the message is in the loop's mailbox: it frees */
    else
        destroy(t);
}

static const sl_input_ops ops = {.start = start, .resume = resume, .stop = stop, .free = free_tail};

const sl_plugin sl_input_tail = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_INPUT,
    .name = "tail",
    .help = "Follows files: every line once, through rotation, truncation, copies and restarts.",
    .options = options,
    .conf_size = sizeof(tail_conf),
    .check = check,
    .conf_release = conf_release,
    .input = &ops,
};
