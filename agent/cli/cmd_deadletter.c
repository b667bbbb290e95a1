/* cmd_deadletter.c: `sluice deadletter ls|show|replay`. Reads beside a running agent; replay only leaves a
 * request, which the running or next agent carries out. */
#include "cli.h"
#include "data_dir_args.h"
#include "delivery/dead_letter.h"
#include "journal/journal.h"
#include <errno.h>
#include <getopt.h>
#include <sluice/fs.h>
#include <sluice/json.h>
#include <stdio.h>

/* One pipeline's letters, one after another. */
typedef struct walk {
    const char *pipeline;
    bool show; /* whole envelopes, else counts */
    uint64_t letters;
    uint64_t last; /* sequence of the last frame */
    int64_t first_ns, last_ns;
} walk;

static void take_frame(walk *w, const sl_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const sl_record *rec = &batch->recs[i];
        if (w->show) printf("%.*s\n", (int)rec->len, rec->text);
        if (!w->letters++) w->first_ns = rec->time_ns;
        w->last_ns = rec->time_ns;
    }
    w->last = batch->sequence;
}

static int walk_letters(const char *folder, walk *w)
{
    sl_journal_reader *reader = sl_journal_reader_new(folder);
    uint64_t at = sl_dead_letters_first(folder);
    int code = SL_EXIT_OK;
    for (int rc = 0; rc == 0 || rc == SL_E_CORRUPT;) {
        sl_err err = SL_ERR_NONE;
        sl_batch *batch = NULL;
        uint64_t next = 0, lost = 0;
        rc = sl_journal_reader_read(reader, at, &batch, &next, &lost, &err);
        if (rc == 0) {
            take_frame(w, batch);
            at = batch->sequence + 1;
        } else if (rc != SL_E_NOT_FOUND) {
            fprintf(stderr, "sluice: %s\n", err.text);
            code = SL_EXIT_FAILED;
            at = next;
        }
        sl_batch_unref(batch);
    }
    sl_journal_reader_free(reader);
    return code;
}

static int print_summary(const walk *w)
{
    if (!w->letters) return SL_EXIT_OK;
    sl_buf first = SL_BUF_NONE, last = SL_BUF_NONE;
    sl_json_write_time(&first, w->first_ns);
    sl_json_write_time(&last, w->last_ns);
    printf("%-24s %8llu letters, %s to %s\n", w->pipeline, (unsigned long long)w->letters,
           sl_buf_cstr(&first), sl_buf_cstr(&last));
    sl_buf_release(&first);
    sl_buf_release(&last);
    return SL_EXIT_OK;
}

static int request_replay(const char *data_dir, const walk *w)
{
    char path[SL_DEAD_LETTERS_PATH], text[32];
    if (!w->letters) return SL_EXIT_OK;
    sl_dead_letters_request_path(data_dir, w->pipeline, path);
    int len = snprintf(text, sizeof text, "%llu\n", (unsigned long long)w->last);
    int rc = sl_fs_write_file(path, text, (size_t)len, 0600);
    if (rc < 0) {
        fprintf(stderr, "sluice: cannot write %s: %s\n", path, strerror(-rc));
        return SL_EXIT_FAILED;
    }
    printf("%s: %llu letters will be sent again by the agent, now if it runs, else when it starts\n",
           w->pipeline, (unsigned long long)w->letters);
    return SL_EXIT_OK;
}

typedef enum verb { LS, SHOW, REPLAY } verb;

static int handle_pipeline(const char *data_dir, const char *pipeline, verb v)
{
    char folder[SL_DEAD_LETTERS_PATH];
    walk w = {.pipeline = pipeline, .show = v == SHOW};
    sl_dead_letters_folder(data_dir, pipeline, folder);
    int code = walk_letters(folder, &w);
    int done = v == LS ? print_summary(&w) : v == REPLAY ? request_replay(data_dir, &w) : SL_EXIT_OK;
    return code != SL_EXIT_OK ? code : done;
}

static bool is_folder(const char *parent, const char *name)
{
    char path[SL_DEAD_LETTERS_PATH];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s", parent, name);
    return name[0] != '.' && n > 0 && (size_t)n < sizeof path && sl_fs_stat(path, &st) == 0 &&
           S_ISDIR(st.st_mode);
}

static bool is_there(const char *data_dir, const char *folder, const char *name)
{
    char path[SL_DEAD_LETTERS_PATH];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s/%s", data_dir, folder, name);
    return n > 0 && (size_t)n < sizeof path && sl_fs_stat(path, &st) == 0;
}

/* A name that is misspelt must not look like a pipeline without letters. */
static int check_names(const char *data_dir, char **names, int n_names)
{
    DIR *dir = sl_fs_opendir(data_dir);
    if (!dir) {
        fprintf(stderr, "sluice: cannot list %s: %s\n", data_dir, strerror(errno));
        return SL_EXIT_FAILED;
    }
    sl_fs_closedir(dir);
    if (!is_there(data_dir, ".", "lock") && !is_there(data_dir, ".", "dead_letters")) {
        fprintf(stderr, "sluice: %s is no data_dir of an agent that ever ran\n", data_dir);
        return SL_EXIT_FAILED;
    }
    for (int i = 0; i < n_names; i++) {
        if (is_there(data_dir, "dead_letters", names[i]) || is_there(data_dir, SL_JOURNAL_FOLDER, names[i]))
            continue;
        fprintf(stderr, "sluice: there are no dead letters of a pipeline %s in %s\n", names[i], data_dir);
        return SL_EXIT_FAILED;
    }
    return SL_EXIT_OK;
}

/* Those named behind the options, or all there are. */
static int handle_all(const char *data_dir, char **names, int n_names, verb v)
{
    char parent[SL_MAX_DATA_DIR + 16];
    int code = check_names(data_dir, names, n_names);
    if (code != SL_EXIT_OK) return code;
    for (int i = 0; i < n_names; i++) {
        int rc = handle_pipeline(data_dir, names[i], v);
        code = rc > code ? rc : code;
    }
    if (n_names) return code;
    snprintf(parent, sizeof parent, "%s/dead_letters", data_dir);
    DIR *dir = sl_fs_opendir(parent);
    if (!dir && errno == ENOENT) return SL_EXIT_OK; /* no letter was ever written */
    if (!dir) {
        fprintf(stderr, "sluice: cannot list %s: %s\n", parent, strerror(errno));
        return SL_EXIT_FAILED;
    }
    for (struct dirent *entry = sl_fs_readdir(dir); entry; entry = sl_fs_readdir(dir)) {
        if (!is_folder(parent, entry->d_name)) continue;
        int rc = handle_pipeline(data_dir, entry->d_name, v);
        code = rc > code ? rc : code;
    }
    sl_fs_closedir(dir);
    return code;
}

static int usage(int code)
{
    fputs("usage: sluice deadletter ls|show|replay -c FILE... | --data-dir DIR [PIPELINE...]\n"
          "  ls      how many letters each pipeline has\n"
          "  show    every letter: reason, output, errors, attempts, record\n"
          "  replay  has the agent send them again, under the same ids\n",
          code == SL_EXIT_OK ? stdout : stderr);
    return code;
}

int cmd_deadletter(int argc, char **argv)
{
    static const char *const verbs[] = {"ls", "show", "replay"};
    char data_dir[SL_MAX_DATA_DIR];
    if (argc > 1 && sl_is_help(argv[1])) return usage(SL_EXIT_OK);
    for (size_t v = 0; argc > 1 && v < SL_LEN(verbs); v++) {
        if (strcmp(argv[1], verbs[v]) != 0) continue;
        int code = sl_data_dir_args(argc - 1, argv + 1, "sluice deadletter ls|show|replay [PIPELINE...]",
                                    true, data_dir);
        if (code >= 0) return code;
        return handle_all(data_dir, argv + 1 + optind, argc - 1 - optind, (verb)v);
    }
    return usage(SL_EXIT_USAGE);
}
