/* tail_int.h: what the parts of the tail input share.
 *
 * The way of a file:
 *   discover.c finds names and folders, watches them, and meets what they lead to (an inode);
 *   leads.c    does so for names that are symbolic links, where they lead;
 *   admit.c    decides what a new inode is: a new file, a known one, or the copy of a known one, and gives
 *              ids;
 *   follow.c   gives each file its turn: has it been truncated, moved, deleted? is there something to read?
 *   tail_reader.c reads a batch of lines;
 *   checkpoint.c  remembers how far each file is safe.
 *
 * A tail_file is one *generation* of a file: one run of bytes from 0 on, with one id, whatever it is called
 * and wherever its bytes are. When a file is truncated its generation ends, and what is written afterwards is
 * another one in the same inode. When the old bytes turn up again in a copy, the old generation goes on
 * there.
 *
 * Everything belongs to the input's loop.
 */
#ifndef TAIL_INT_H
#define TAIL_INT_H

#include "glob.h"
#include "index.h"
#include <sluice/plugin.h>

/* ---- limits ---- */

#define TAIL_MAX_FILES     200000u /* generations known at a time, ended ones too */
#define TAIL_MAX_ENDED     20000u  /* ended ones among them; the oldest are forgotten first */
#define TAIL_MAX_FOLDERS   65536u
#define TAIL_MAX_LEADS     65536u /* symbolic links to files */
#define TAIL_MAX_SIBLINGS  10000  /* entries looked at for a copy or a renamed file in one folder */
#define TAIL_MIN_OPEN      8      /* descriptors, however few the process may have */
#define TAIL_RESERVED_OPEN 128    /* left to the rest of the agent */
#define TAIL_HEAD          1024u  /* bytes of a head hash */
#define TAIL_MARK          256u   /* bytes of the hash before a position */
#define TAIL_TURN_BATCHES  4      /* batches read before the loop has its turn */

/* Times in ns. A table, so that tests can shorten them; else read-only. */
typedef struct tail_times {
    int64_t pause;         /* between two looks at events: joins what a busy writer writes */
    int64_t pause_a_batch; /* added for each batch of the last look: bounds batches of many quiet files */
    int64_t pause_max;
    int64_t save;   /* checkpoints; sooner after the start */
    int64_t check;  /* files that wait for a time to pass */
    int64_t rescan; /* safety net under the watches: missed events, writes through mmap */
    int64_t quiet;  /* a rotated file that did not grow for so long is complete: its last line is read */
    int64_t hold;   /* a new file that begins like a known one may be its copy: waits for the truncation */
    int64_t linger_deleted; /* after the last growth a deleted file is closed */
    int64_t linger_renamed; /* one that was renamed to where no pattern looks */
    int64_t keep_ended;     /* how long a generation that ended is remembered for its copies */
} tail_times;
extern tail_times tail_default_times;

/* ---- options ---- */

enum { TAIL_FROM_START, TAIL_FROM_END };
enum { TAIL_WATCH_AUTO, TAIL_WATCH_INOTIFY, TAIL_WATCH_POLL };

typedef struct tail_conf {
    sl_list path, exclude; /* of sl_span */
    int read_from;
    uint64_t max_line;
    int64_t ignore_older;
    bool include_file, include_offset;
    sl_span file_field;
    int watch;
    int64_t poll_interval;
    int64_t max_open_files;
    bool skip_empty_lines;
    /* made of them by check() */
    tail_globs *wanted, *unwanted;
} tail_conf;

/* ---- counters: name, help ---- */

#define TAIL_COUNTERS(X)                                                                                     \
    X(bytes, "bytes_total", "Bytes read from files.")                                                        \
    X(lines, "lines_total", "Lines read from files.")                                                        \
    X(truncated, "lines_truncated_total", "Lines longer than `max_line`, cut there.")                        \
    X(cut_bytes, "line_bytes_cut_total", "Bytes behind `max_line` that were left out.")                      \
    X(empty, "lines_empty_total", "Empty lines left out.")                                                   \
    X(nul_bytes, "nul_bytes_skipped_total",                                                                  \
      "NUL bytes at the start of lines, left out: holes of sparse files.")                                   \
    X(unended, "lines_unended_total", "Last lines without a newline, read when their file was complete.")    \
    X(files_found, "files_found_total", "Files met for the first time.")                                     \
    X(rotations, "files_renamed_total", "Followed files that were renamed.")                                 \
    X(deletions, "files_deleted_total", "Followed files that were deleted.")                                 \
    X(truncations, "files_truncated_total", "Files that were truncated or written anew.")                    \
    X(shrunk, "files_shrunk_total", "Files that lost their end but not their head.")                         \
    X(copies, "copies_total", "Files recognised as copies of known ones and not read again.")                \
    X(lost_bytes, "bytes_lost_total", "Bytes that were truncated or deleted before they could be read.")     \
    X(lost_files, "files_lost_total", "Files that ended with bytes unread.")                                 \
    X(open_errors, "open_errors_total", "Files and folders that could not be opened.")                       \
    X(read_errors, "read_errors_total", "Reads that failed.")                                                \
    X(not_regular, "not_regular_total", "Folders, pipes and devices named like logs, left alone.")           \
    X(over_limit, "files_over_limit_total", "Files left alone because too many are known.")                  \
    X(overflows, "watch_overflows_total", "Times the kernel lost events, answered by a full scan.")          \
    X(closed_early, "files_closed_early_total", "Files closed to stay within `max_open_files`.")             \
    X(save_errors, "checkpoint_errors_total", "Failed writes of checkpoints.")                               \
    X(bad_checkpoints, "checkpoints_damaged_total", "Checkpoints that could not be understood.")

typedef struct tail_counters {
#define TAIL_COUNTER_FIELD(field, name, help) sl_counter *field;
    TAIL_COUNTERS(TAIL_COUNTER_FIELD)
#undef TAIL_COUNTER_FIELD
} tail_counters;

/* Kinds of messages, each with its own limit. */
typedef enum tail_message {
    TAIL_MSG_OPEN,
    TAIL_MSG_READ,
    TAIL_MSG_LINE,
    TAIL_MSG_NUL,
    TAIL_MSG_TRUNCATED,
    TAIL_MSG_LOST,
    TAIL_MSG_COPY,
    TAIL_MSG_KIND,
    TAIL_MSG_LIMIT,
    TAIL_MSG_SAVE,
    TAIL_MSG_WATCH,
    TAIL_MSG_STATE,
    TAIL_MSG_UNENDED,
    TAIL_MESSAGES
} tail_message;

/* ---- lists ---- */

typedef struct tail_link {
    struct tail_link *prev, *next; /* a ring with the list's head; to itself when in none */
} tail_link;

static inline void tail_link_init(tail_link *link)
{
    link->prev = link->next = link;
}
static inline bool tail_is_linked(const tail_link *link) /* of a head: not empty */
{
    return link->next != link;
}
static inline void tail_unlink(tail_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    tail_link_init(link);
}
static inline void tail_append(tail_link *head, tail_link *link) /* link is in no list */
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}
#define TAIL_FILE(link, member) sl_container_of((link), tail_file, member)

/* ---- files ---- */

/* A place in a generation: what is before it has been read (or is safe). */
typedef struct tail_pos {
    uint64_t off;
    uint64_t hash; /* of the `len` bytes before off; len is min(off, TAIL_MARK) */
    uint16_t len;
    bool skip; /* inside a line that was cut: what follows up to its newline is left out */
} tail_pos;

typedef struct tail_head {
    uint64_t hash; /* of the first `len` bytes */
    uint16_t len;  /* at most TAIL_HEAD; grows with what has been read */
} tail_head;

typedef enum tail_state {
    TAIL_NEW,      /* has an inode, no id: nothing to read yet */
    TAIL_HELD,     /* the same; begins like a known file and may be its copy */
    TAIL_NAMED,    /* has an id that is not durable yet */
    TAIL_FOLLOWED, /* has a durable id: may be read */
    TAIL_ENDED,    /* has no inode any more (`end` says why) */
} tail_state;

typedef enum tail_end {
    TAIL_END_UNSEEN,    /* from the state database, not met yet in this run */
    TAIL_END_TRUNCATED, /* its inode holds other bytes now; its own may be in a copy */
    TAIL_END_DELETED,   /* read to its end, then closed */
    TAIL_END_MISSED,    /* disappeared while the agent was stopped, or closed for want of descriptors */
} tail_end;

/* Where a new file is read from. */
typedef enum tail_start { TAIL_START_BEGIN, TAIL_START_LINE, TAIL_START_EXACT } tail_start;

typedef struct tail_file {
    tail_state state;
    tail_end end;
    sl_id id;
    tail_head head;
    tail_pos pos;  /* read up to here */
    tail_pos ckpt; /* safe up to here */

    /* The inode, unless ENDED (UNSEEN: where it was last). */
    dev_t dev;
    ino_t ino;
    int64_t born_ns; /* 0: unknown */
    char *path;      /* a name that leads to it, or led to it last; NULL only before the first */
    char *shown;     /* the last one a pattern matched, when path is none, be it a link; else NULL */
    int fd;          /* -1: closed */
    int watch_id;    /* -1: not watched: polled */
    uint64_t size;   /* last seen */
    int64_t mtime_ns;

    tail_start start;
    uint64_t start_off; /* size at first sight; for START_LINE and START_EXACT */

    int64_t changed_ns;  /* monotonic: last growth seen */
    int64_t left_ns;     /* monotonic: no pattern leads to it since; 0: one does */
    int64_t ended_s;     /* wall clock */
    bool rotated;        /* was renamed, deleted or is a copy: will not grow for long */
    bool deleted;        /* has no name any more */
    bool lost_path;      /* its path leads elsewhere: to be looked for */
    bool unsafe;         /* a receipt came back unsafe: the checkpoint stands still in this run */
    bool done;           /* --once: read to its end */
    bool waiting;        /* could not be opened or named: tried again by the check timer */
    bool indexed;        /* its inode is in the index */
    uint32_t gen;        /* scan that saw it last */
    bool forgotten;      /* freed but for its receipts */
    uint32_t receipts;   /* in flight; the object lives as long */
    uint32_t no_newline; /* bytes after pos known to hold no newline */
    uint64_t nul_to;     /* from pos to here there are only NULs */

    /* HELD */
    struct tail_file *twin; /* may be the original; cleared when it goes */
    bool equal_so_far;      /* all of this file was seen to be equal to the twin */

    tail_link all, ready, opened, dirty, timed, checked, named; /* ready: also that of `fresh` */
} tail_file;

typedef struct tail_folder {
    char *path;
    int watch_id; /* -1: polled */
    dev_t dev;
    ino_t ino;
    int64_t mtime_ns;
    int64_t seen_ns;  /* wall time: when that scan came to it */
    int64_t last_ns;  /* the same of the scan before; 0: there was none */
    uint32_t gen;     /* scan that saw it last */
    uint32_t checked; /* round of checks that looked at it last */
    tail_link all;
} tail_folder;

/* A name that something happened to. */
typedef struct tail_name {
    char *path;
    bool is_folder;
    bool adopted; /* a wanted file was renamed to it */
} tail_name;

typedef struct tail {
    sl_input *in;
    const tail_conf *conf;
    sl_loop *loop;
    sl_state *db;
    tail_times times;
    int64_t started_ns; /* monotonic */
    tail_counters count;
    sl_log_limit limits[TAIL_MESSAGES];
    size_t max_open;

    tail_link files;   /* all */
    tail_link fresh;   /* have no id yet: to be admitted */
    tail_link ready;   /* want a turn */
    tail_link opened;  /* least recently used first */
    tail_link dirty;   /* to be saved */
    tail_link timed;   /* wait for a time to pass */
    tail_link checked; /* their path is to be checked */
    tail_link named;   /* ids to be made durable */
    size_t n_files, n_ended, n_open;
    const tail_file *admitting; /* what is being found out about it needs its descriptor; NULL: none */
    tail_index by_inode, by_path, by_base, by_head, by_watch;
    uint32_t head_lens[TAIL_HEAD + 1]; /* how many heads have each length */

    tail_link folders;
    size_t n_folders;
    tail_link leads;
    size_t n_leads;
    tail_index leads_by_link, leads_by_target;
    tail_index folders_by_path, folders_by_watch;
    uint32_t gen;          /* of the scan that runs or ran last */
    uint32_t folder_round; /* of checks of folders */
    struct {
        tail_name *items;
        size_t count, cap;
    } names;
    bool scan_all;    /* wanted */
    bool look_at_all; /* wanted: sizes and paths of all files */
    bool scanning;    /* now */
    bool first_scan;  /* now: read_from and ignore_older count */
    bool watch_full;  /* the limit of watches was reached and told */
    bool poll_told;
    struct {
        dev_t dev;
        bool watchable;
    } devs[16];
    size_t n_devs;

    struct {
        uint32_t cookie;
        bool adopted;
    } move;              /* the first half of the last rename seen */
    tail_index adopted;  /* names a wanted file was renamed to that no pattern matches, by hash */
    tail_index searched; /* folders, by hash of their path */
    tail_index odd;      /* inodes that are no regular files and have been told */
    bool scan_again;     /* something could not be opened, or is a link whose target may change unseen */

    sl_watch *watch; /* NULL: polling only */
    sl_timer *pace, *save, *check, *poll, *rescan;
    sl_message work;
    bool work_posted;
    bool stopping, stopped, dying, finished;
    bool save_failed; /* notes of a failed commit wait in the database handle */
    uint32_t poll_round;
    uint32_t batches; /* since the last look at events */
} tail;

#define tail_log(t, kind, level, ...)                                                                        \
    sl_log_limited(&(t)->limits[kind], level, sl_input_name((t)->in), __VA_ARGS__)

/* ---- tail_file.c: objects, indexes, descriptors ---- */

tail_file *tail_file_new(tail *t);
/* Frees it, or lets go of everything but what its receipts need. */
void tail_file_free(tail *t, tail_file *f);
/* Gives it an inode. fd may be -1. */
void tail_file_bind(tail *t, tail_file *f, const struct stat *st, int64_t born_ns, int fd);
/* One of the database: its inode (dev, ino are set) is looked out for. */
void tail_file_expect(tail *t, tail_file *f);
/* Moves inode, path, descriptor and watch from one generation to another that has none. */
void tail_file_rebind(tail *t, tail_file *to, tail_file *from);
void tail_file_set_path(tail *t, tail_file *f, const char *path);
void tail_file_set_head(tail *t, tail_file *f, tail_head head);
void tail_file_set_watch(tail *t, tail_file *f, int id);
void tail_file_set_state(tail *t, tail_file *f, tail_state state);
/* The generation has no inode any more. One without an id is freed. */
void tail_file_end(tail *t, tail_file *f, tail_end end);
/* 0 with fd open, or a negative errno; -ESTALE: its path leads to another inode. */
int tail_file_open(tail *t, tail_file *f);
void tail_file_close(tail *t, tail_file *f);
/* Opens a regular file, never waiting for one. A descriptor, or a negative errno; -EINVAL: not a regular
 * file. */
int tail_open(tail *t, const char *path, struct stat *st);
tail_file *tail_find_inode(const tail *t, dev_t dev, ino_t ino);
/* The next generation that begins so; *at is 0 before the first. */
tail_file *tail_find_head(const tail *t, tail_head head, size_t *at);
/* The file this path led to when last looked at. */
tail_file *tail_find_path(const tail *t, const char *path);
/* Whether any generation, ended ones too, has or had this path last. */
bool tail_knows_path(const tail *t, const char *path);
/* When the last one was written to of those, ended ones too, that had this path or one rotated from it, but
 * for the file that has it now. 0: none is known. */
int64_t tail_newest_rotated(const tail *t, const char *path);
static inline bool tail_has_inode(const tail_file *f)
{
    return f->state != TAIL_ENDED;
}
void tail_make_ready(tail *t, tail_file *f);
void tail_make_dirty(tail *t, tail_file *f);
void tail_make_checked(tail *t, tail_file *f);
void tail_make_timed(tail *t, tail_file *f, bool timed);
int64_t tail_mtime_ns(const struct stat *st);

/* ---- identity.c: hashes and what they prove ---- */

uint64_t tail_hash(const void *bytes, size_t len);
/* Makes a position of an offset and the bytes before it (at least min(off, TAIL_MARK) of them, ending at
 * `end`). */
tail_pos tail_pos_make(uint64_t off, const char *end, bool skip);
/* The same, read from the file. 0 or a negative errno. */
int tail_pos_read(int fd, uint64_t off, tail_pos *pos);
typedef enum tail_verdict {
    TAIL_SAME,
    TAIL_SHRUNK,  /* its end is gone, its head is as it was */
    TAIL_OTHER,   /* other bytes */
    TAIL_UNKNOWN, /* it cannot be read now: nothing may be concluded */
} tail_verdict;
/* Whether the bytes before pos are what they were. Never SHRUNK. */
tail_verdict tail_pos_verify(int fd, const tail_pos *pos);
/* The same for the head, which becomes longer when more has been `read`. Never SHRUNK. */
tail_verdict tail_head_verify(int fd, uint64_t read, tail_head *head);
/* Compares an open file with what is known of a generation up to pos: both of the above, and the size. */
tail_verdict tail_verify(int fd, uint64_t size, const tail_pos *pos, tail_head *head);
/* How many bytes make a head: whole lines, or TAIL_HEAD bytes; all there is if `complete`. */
size_t tail_head_len(const char *bytes, size_t len, bool complete);

/* ---- copies.c: whose bytes are these? ---- */

/* A file that is new to us. */
typedef struct tail_suspect {
    int fd;
    const char *path;
    struct stat st;
    int64_t born_ns;
    char head[TAIL_HEAD];
    size_t head_len;           /* bytes of head, fewer only when the file is shorter */
    const tail_file *equal_to; /* all of it was seen to be equal to this one's bytes */
} tail_suspect;

typedef enum tail_copy {
    TAIL_COPY_NONE,  /* a file of its own */
    TAIL_COPY_WAIT,  /* perhaps: the original is still there */
    TAIL_COPY_AFTER, /* a copy of what has been read: only what follows it is new */
    TAIL_COPY_TAKE,  /* the original goes on here */
} tail_copy;

/* 0 or a negative errno. */
int tail_suspect_read(tail_suspect *s, int fd, const char *path);
/* Judges s against one known generation, whose head s is known to begin with. *equal: s, as far as it goes,
 * holds bytes of the original. s->st is read anew where the answer depends on it. */
tail_copy tail_judge(tail *t, tail_suspect *s, tail_file *original, bool *equal);
/* Judges against all. *original: the one the answer is about. `self` is left out (may be NULL). */
tail_copy tail_judge_all(tail *t, tail_suspect *s, const tail_file *self, tail_file **original, bool *equal);

/* ---- admit.c ---- */

/* The generation goes on in the inode of a new file, which is freed. */
void tail_take_over(tail *t, tail_file *original, tail_file *f);
/* Decides about new files that are ready and makes their ids durable, all in one commit. */
void tail_admit(tail *t);

/* ---- discover.c: names to files ---- */

void tail_scan_all(tail *t, bool first);
/* The same for what is at or below a path. */
void tail_scan_below(tail *t, const char *only);
/* Meets what a path leads to. adopted: a wanted file was renamed to it, so it is followed though no pattern
 * says so. */
void tail_meet(tail *t, const char *path, bool adopted);
/* A pattern matches, or a link that one matches leads to it. */
bool tail_is_wanted(const tail *t, const char *path);
/* f has another name now. */
void tail_renamed(tail *t, tail_file *f, const char *path);
/* f, of the database, may be here under another name: goes on with it if the bytes are the same. */
void tail_meet_unseen(tail *t, tail_file *f, const char *path);
/* Looks at the paths of files in `checked`; finds those that were renamed. */
void tail_check_paths(tail *t);
/* Files of the database that the first scan did not meet: renamed to where no pattern looks, or gone. */
void tail_find_unseen(tail *t);

/* ---- leads.c: wanted names that are symbolic links to files ---- */

/* Where a wanted link leads, noted from then on, to be freed; NULL when path is no such link. */
char *tail_lead_follow(tail *t, const char *path);
/* A link that leads to this path, or NULL. */
const char *tail_lead_to(const tail *t, const char *path);
/* After a scan: forgets links it did not see (below `only`, or all), meets what the others lead to below
 * `only`. */
void tail_leads_scan(tail *t, const char *only);
/* Meets anew those that lead elsewhere by now. */
void tail_leads_check(tail *t);
void tail_leads_free(tail *t);

/* ---- siblings.c: the other entries of a file's folder ---- */

/* The path without a `.3` or `-20260102` at its end, or a stamp of eight digits and more before its extension
 * (`app.2026-01-02_10-15-00.log`). NULL: it has none. To be freed. */
char *tail_rotated_from(const char *path);
/* It has one, and there is or was another file without it beside: it is rotated, and will not grow. */
bool tail_looks_rotated(const tail *t, const tail_file *f);
/* Calls fn for each entry, at most TAIL_MAX_SIBLINGS, with its full path; *st is of the folder (its device).
 * When a name changes meanwhile all of them are gone through again, as one may have been passed over: fn must
 * bear to be told the same twice. */
void tail_each_sibling(tail *t, const char *path,
                       void (*fn)(tail *t, const char *sibling, const struct stat *st, ino_t ino, void *arg),
                       void *arg);
/* Finds files with lost_path set, and UNSEEN ones, by their inode in the folder of `path`; each folder once
 * until t->searched is released. */
void tail_find_renamed(tail *t, const char *path);
/* After f was found rotated (`app.log.2`): meets unknown files rotated from the same name and written to
 * later, which were never seen under a name that a pattern matches. */
void tail_meet_between(tail *t, const tail_file *f);
/* Meets unknown files that were rotated away from `path`, if they were written to after the known ones; where
 * none is known, since the last scan but this one. */
void tail_meet_rotated(tail *t, const char *path);
/* The same for the name of f, which has no id yet and its first bytes, or has changed since it was seen empty,
 * if its inode is older than what is known to have been rotated away: it is truncated each time, and one
 * generation or more may have come and gone between two looks. */
void tail_meet_before(tail *t, const tail_file *f);
/* The same for every name known from the state database. */
void tail_meet_all_between(tail *t);
/* Looks for the bytes of a generation that was just truncated. True: it goes on in its copy. */
bool tail_find_copy(tail *t, tail_file *f);

/* ---- events.c: from the kernel's events to names ---- */

void tail_note_events(tail *t, const sl_watch_event *events, size_t count);
void tail_work_off_names(tail *t);
void tail_names_release(tail *t);
/* What this path leads to by now may be any file. */
void tail_forget_adopted(tail *t, const char *path);

/* ---- folders.c: folders whose names matter ---- */

void tail_folder_seen(tail *t, const char *path);
/* During a scan: the wall time at which the one before it came to the folder of `path`; 0: it was not there. */
int64_t tail_folder_last_seen(const tail *t, const char *path);
/* The next folder with this watch; *at is 0 before the first. */
tail_folder *tail_folder_of_watch(const tail *t, int id, size_t *at);
void tail_folder_gone(tail *t, int id);
/* Lets go of those the last scan did not see (below `only`, or all). */
void tail_folders_sweep(tail *t, const char *only);
/* Scans those that changed; polled_only: of those without a watch. False: there are none. */
bool tail_folders_check(tail *t, bool polled_only);
void tail_folders_free(tail *t);
/* Whether inotify sees what happens on this device. */
bool tail_is_watchable(tail *t, const char *path, dev_t dev);
/* Puts a watch on the file, or makes sure that it is polled. */
void tail_watch_file(tail *t, tail_file *f);
static inline bool tail_is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 &&
           (path[len] == '/' || !path[len] || (len && folder[len - 1] == '/'));
}

/* ---- follow.c ---- */

/* One turn. True: wants another one. */
bool tail_follow(tail *t, tail_file *f);
/* f, of which size_before bytes were seen, was just truncated: looks for its copy, or tells what is lost. */
void tail_seek_copy(tail *t, tail_file *f, uint64_t size_before);
/* At stop: reads deleted files to their end, unfinished last lines too. */
void tail_read_deleted(tail *t);
/* Ends the generation if its inode holds other bytes now. */
void tail_check_generation(tail *t, tail_file *f);
/* What passing time does to rotated, deleted and held files. */
void tail_check_times(tail *t);
/* Looks at every file (or those that are not watched): size and path. False: there are none. */
bool tail_look_at_files(tail *t, bool polled_only);
/* Takes in what stat says: growth is noted with the time. */
void tail_note_size(tail_file *f, const struct stat *st);
/* No pattern leads to it any more. */
void tail_file_left(tail *t, tail_file *f, bool deleted);
bool tail_is_complete(const tail *t, const tail_file *f);
void tail_update_timed(tail *t, tail_file *f);

/* ---- tail_reader.c ---- */

typedef enum tail_read {
    TAIL_READ_MORE,  /* a batch was emitted or skipped over; there may be more */
    TAIL_READ_END,   /* everything that is complete has been read */
    TAIL_READ_OTHER, /* the bytes before pos have changed */
    TAIL_READ_FAILED,
} tail_read;
tail_read tail_read_batch(tail *t, tail_file *f);

/* ---- checkpoint.c ---- */

/* Makes an ENDED (UNSEEN or as saved) file of each checkpoint. 0 or SL_E_STATE. */
int tail_load(tail *t, sl_err *err);
void tail_save(tail *t, bool durable);
/* Puts every NAMED file; durable at once. False: not durable yet. */
bool tail_save_named(tail *t);
/* Ended files that are too old or too many. */
void tail_forget_ended(tail *t);

/* ---- tail.c ---- */

/* Does what there is to do, and asks for another turn if something is left. */
void tail_work(tail *t);
/* Asks for a turn soon. */
void tail_post(tail *t);
void tail_save_later(tail *t);
void tail_check_later(tail *t);

#endif
