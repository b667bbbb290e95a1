/* cmd_journal.c: `sluice journal ls|cat|verify`: what the journals hold. Reads only; the agent may run
 * meanwhile. */
#include "cli.h"
#include "data_dir_args.h"
#include "journal/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A running agent has finished by then what it is writing. */
#define PATIENCE_NS (200 * SL_NS_PER_MS)

#define USAGE "sluice journal ls|cat|verify [--pipeline NAME]"

/* What one pipeline's walk adds up. */
typedef struct totals {
    const char *pipeline;
    uint64_t segments, frames, records, bytes, raw_bytes, damaged;
    sl_cursors cursors;
    uint64_t *behind; /* records, a cursor */
    sl_buf line;
    bool failed; /* standard output */
} totals;

static const char *size_text(uint64_t bytes, char out[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    unsigned unit = 0;
    for (; value >= 1024 && unit + 1 < SL_LEN(units); unit++)
        value /= 1024;
    snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

static bool print_problem(void *arg, const char *text)
{
    totals *t = arg;
    t->damaged++;
    fprintf(stderr, "%s: %s\n", t->pipeline, text);
    return true;
}

/* ---- ls ---- */

static bool add_segment(totals *t, const sl_inspected *seg)
{
    t->segments++;
    t->frames += seg->frames;
    t->records += seg->records;
    t->bytes += seg->bytes;
    t->raw_bytes += seg->raw_bytes;
    return true;
}

static bool print_segment(void *arg, const sl_inspected *seg)
{
    char size[32];
    sl_buf time = SL_BUF_NONE;
    if (seg->frames) sl_json_write_time(&time, seg->last_written);
    printf("  segment %020llu  %7llu frames  %10llu records  %10s  %-7s%s  last written %s\n",
           (unsigned long long)seg->first, (unsigned long long)seg->frames, (unsigned long long)seg->records,
           size_text(seg->bytes, size), seg->sealed ? "closed" : "open", seg->damaged ? " damaged" : "",
           seg->frames ? sl_buf_cstr(&time) : "never");
    sl_buf_release(&time);
    return add_segment(arg, seg);
}

static bool count_behind(void *arg, const sl_frame_header *hdr)
{
    totals *t = arg;
    for (unsigned i = 0; i < t->cursors.count; i++)
        if (hdr->sequence >= t->cursors.list[i].next) t->behind[i] += hdr->records;
    return true;
}

static void print_quarantine(const char *dir)
{
    char path[SL_PATH_LEN + 16];
    uint64_t files = 0;
    snprintf(path, sizeof(path), "%s/" SL_QUARANTINE_DIR, dir);
    DIR *handle = sl_fs_opendir(path);
    if (!handle) return;
    struct dirent *entry;
    while ((entry = sl_fs_readdir(handle)))
        if (entry->d_name[0] != '.') files++;
    sl_fs_closedir(handle);
    if (files) printf("  quarantine: %llu files in %s\n", (unsigned long long)files, path);
}

static void print_cursors(const totals *t)
{
    for (unsigned i = 0; i < t->cursors.count; i++) {
        const sl_cursor *cursor = &t->cursors.list[i];
        printf("  output %s: at frame %llu, %llu records behind%s\n", cursor->name,
               (unsigned long long)cursor->next, (unsigned long long)t->behind[i],
               cursor->absent_since ? " (no longer configured)" : "");
    }
}

static int list_journal(const char *dir, totals *t, sl_err *err)
{
    char size[32], raw[32];
    const sl_inspector look = {.arg = t,
                               .segment = print_segment,
                               .frame = count_behind,
                               .problem = print_problem,
                               .patience_ns = PATIENCE_NS};
    sl_cursors__load(&t->cursors, dir);
    t->behind = sl_calloc(t->cursors.count + 1, sizeof(*t->behind));
    printf("%s\n", t->pipeline);
    int rc = sl_journal_inspect(dir, &look, err);
    if (rc == 0) {
        printf("  together %llu segments, %llu frames, %llu records, %s (%s before compression)\n",
               (unsigned long long)t->segments, (unsigned long long)t->frames, (unsigned long long)t->records,
               size_text(t->bytes, size), size_text(t->raw_bytes, raw));
        print_cursors(t);
        print_quarantine(dir);
    }
    sl_free(t->behind);
    sl_cursors__close(&t->cursors);
    return rc;
}

/* ---- cat ---- */

static bool print_batch(void *arg, const sl_batch *batch)
{
    totals *t = arg;
    sl_buf_clear(&t->line);
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record_write(batch, &batch->recs[i], &t->line);
        sl_buf_append_char(&t->line, '\n');
    }
    t->failed = fwrite(t->line.ptr, 1, t->line.len, stdout) != t->line.len;
    return !t->failed;
}

static int cat_journal(const char *dir, totals *t, sl_err *err)
{
    const sl_inspector look = {
        .arg = t, .batch = print_batch, .problem = print_problem, .patience_ns = PATIENCE_NS};
    int rc = sl_journal_inspect(dir, &look, err);
    sl_buf_release(&t->line);
    if (rc == 0 && t->failed) rc = sl_err_sys(err, errno, "cannot write to standard output");
    if (rc == 0 && t->damaged)
        rc = sl_err_set(err, SL_E_CORRUPT, "not all records of %s could be read, see above", t->pipeline);
    return rc;
}

/* ---- verify ---- */

static bool count_segment(void *arg, const sl_inspected *seg)
{
    return add_segment(arg, seg);
}

static int verify_journal(const char *dir, totals *t, sl_err *err)
{
    const sl_inspector look = {.arg = t,
                               .segment = count_segment,
                               .problem = print_problem,
                               .verify = true,
                               .patience_ns = PATIENCE_NS};
    int rc = sl_journal_inspect(dir, &look, err);
    if (rc < 0) return rc;
    printf("%s: %llu segments, %llu frames, %llu records: %s\n", t->pipeline, (unsigned long long)t->segments,
           (unsigned long long)t->frames, (unsigned long long)t->records, t->damaged ? "damaged" : "good");
    return t->damaged
               ? sl_err_set(err, SL_E_CORRUPT, "the journal of %s is damaged in %llu places, see above",
                            t->pipeline, (unsigned long long)t->damaged)
               : 0;
}

/* ---- the command ---- */

static const struct {
    const char *name;
    int (*run)(const char *dir, totals *t, sl_err *err);
} verbs[] = {{"ls", list_journal}, {"cat", cat_journal}, {"verify", verify_journal}};

static int usage(int code)
{
    fputs("usage: " USAGE " -c FILE... | --data-dir DIR\n"
          "  ls      segments, cursors and how far each output is behind\n"
          "  cat     every record that is kept\n"
          "  verify  reads all of it and tells what is damaged\n",
          code == SL_EXIT_OK ? stdout : stderr);
    return code;
}

/* Takes `--pipeline NAME` out of the arguments. False: the name is missing. */
static bool take_pipeline(int *argc, char **argv, const char **pipeline)
{
    int kept = 0;
    *pipeline = NULL;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--pipeline") != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        if (++i == *argc) return false;
        *pipeline = argv[i];
    }
    argv[kept] = NULL;
    *argc = kept;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folders in data_dir/journal, by name. */
static int list_pipelines(const char *root, char ***names, size_t *count, sl_err *err)
{
    *names = NULL;
    *count = 0;
    DIR *handle = sl_fs_opendir(root);
    if (!handle && errno == ENOENT)
        return sl_err_set(err, SL_E_NOT_FOUND, "there is no journal in %s: is this the data_dir of an agent?",
                          root);
    if (!handle) return sl_err_sys(err, errno, "cannot list %s", root);
    struct dirent *entry;
    while ((entry = sl_fs_readdir(handle))) {
        if (entry->d_name[0] == '.') continue;
        *names = sl_realloc(*names, (*count + 1) * sizeof(**names));
        (*names)[(*count)++] = sl_strdup(entry->d_name);
    }
    sl_fs_closedir(handle);
    if (*count) qsort(*names, *count, sizeof(**names), by_name);
    return 0;
}

/* All are looked at, also after one that is bad. */
static int run_on(int (*run)(const char *dir, totals *t, sl_err *err), const char *root, char *const *names,
                  size_t count, const char *only)
{
    int code = SL_EXIT_OK;
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        char dir[SL_PATH_LEN];
        sl_err err = SL_ERR_NONE;
        totals t = {.pipeline = names[i]};
        if (only && strcmp(only, names[i]) != 0) continue;
        found = true;
        int len = snprintf(dir, sizeof(dir), "%s/%s", root, names[i]);
        if (len < 0 || len > SL_MAX_DIR) sl_err_set(&err, SL_E_LIMIT, "the path %s is too long", root);
        if (err.code == 0) run(dir, &t, &err);
        if (err.code == 0) continue;
        fprintf(stderr, "sluice: %s\n", err.text);
        code = SL_EXIT_FAILED;
    }
    if (only && !found) {
        fprintf(stderr, "sluice: there is no journal of a pipeline %s in %s\n", only, root);
        code = SL_EXIT_FAILED;
    }
    return code;
}

int cmd_journal(int argc, char **argv)
{
    char data_dir[SL_MAX_DATA_DIR], root[SL_MAX_DATA_DIR + 16];
    const char *only;
    size_t verb = 0, count;
    if (argc > 1 && sl_is_help(argv[1])) return usage(SL_EXIT_OK);
    while (argc > 1 && verb < SL_LEN(verbs) && strcmp(argv[1], verbs[verb].name) != 0)
        verb++;
    if (argc < 2 || verb == SL_LEN(verbs) || !take_pipeline(&argc, argv, &only)) return usage(SL_EXIT_USAGE);
    int code = sl_data_dir_args(argc - 1, argv + 1, USAGE, false, data_dir);
    if (code >= 0) return code;
    char **names;
    sl_err err = SL_ERR_NONE;
    snprintf(root, sizeof(root), "%s/" SL_JOURNAL_FOLDER, data_dir);
    if (list_pipelines(root, &names, &count, &err) < 0) {
        fprintf(stderr, "sluice: %s\n", err.text);
        return SL_EXIT_FAILED;
    }
    code = run_on(verbs[verb].run, root, names, count, only);
    for (size_t i = 0; i < count; i++)
        sl_free(names[i]);
    sl_free(names);
    return code;
}
