/* test_zoo.c: a seeded driver does to files whatever rotates, copies, truncates, deletes, links and kills, in
 * any order, and every line must come exactly once.
 *
 *   ZOO_SEED=n   one seed, with its steps printed
 *   ZOO_SEEDS=n  how many (default 30, or as many as 25 s allow)
 *
 * The driver does only what leaves every line somewhere: it does not truncate without a copy what may not
 * have been read, nor delete what was never opened.
 */
#include "rig.h"

#define APPS        3
#define STEPS       120
#define MAX_SECONDS 25

typedef struct app {
    char name[32];  /* of the file it writes to */
    sl_buf partial; /* an unfinished line at its end */
    bool fresh;     /* made since the agent last had time to open it */
} app;

typedef struct zoo {
    rig r;
    app apps[APPS];
    char **expected;
    size_t n_expected;
    unsigned rnd;
    unsigned counter;
    bool running, talk;
    bool unsafe_to_kill; /* a deleted file may not have been read to its end: only a stop leaves nothing
                            behind */
} zoo;

static unsigned roll(zoo *z, unsigned below)
{
    return (unsigned)rand_r(&z->rnd) % below;
}

static void expect_line(zoo *z, sl_span text)
{
    z->expected = sl_realloc(z->expected, (z->n_expected + 1) * sizeof *z->expected);
    z->expected[z->n_expected++] = sl_strndup(text.ptr, text.len);
}

static void say(zoo *z, const char *what, const char *name)
{
    if (z->talk) fprintf(stderr, "%s %s (%zu lines)\n", what, name, z->n_expected);
}

/* ---- what the writers do ---- */

static void make_text(zoo *z, const app *a, sl_buf *line)
{
    sl_buf_printf(line, "%s line %u ", a->name, z->counter++);
    for (unsigned n = roll(z, 10) ? roll(z, 80) : roll(z, 3000); n > 0; n--)
        sl_buf_append_char(line, (char)('a' + n % 26));
}

static void write_lines(zoo *z, app *a)
{
    unsigned count = roll(z, 4) ? roll(z, 20) + 1 : roll(z, 500) + 1;
    sl_buf text = SL_BUF_NONE, line = SL_BUF_NONE;
    for (unsigned i = 0; i < count; i++) {
        size_t done = a->partial.len;
        sl_buf_clear(&line);
        sl_buf_append_span(&line, sl_buf_span(&a->partial));
        make_text(z, a, &line);
        expect_line(z, sl_buf_span(&line));
        sl_buf_append(&text, line.ptr + done, line.len - done);
        sl_buf_append_char(&text, '\n');
        sl_buf_clear(&a->partial);
    }
    if (roll(z, 3) == 0) {
        make_text(z, a, &a->partial);
        sl_buf_append_span(&text, sl_buf_span(&a->partial));
    }
    say(z, "write", a->name);
    rig_write(&z->r, a->name, "a", sl_buf_span(&text));
    sl_buf_release(&text);
    sl_buf_release(&line);
}

static void write_end(zoo *z, app *a)
{
    if (!a->partial.len) return;
    expect_line(z, sl_buf_span(&a->partial));
    rig_append(&z->r, a->name, "\n");
    sl_buf_clear(&a->partial);
}

/* The file is complete: an unfinished line in it is a line. */
static void end_partial(zoo *z, app *a)
{
    if (a->partial.len) expect_line(z, sl_buf_span(&a->partial));
    sl_buf_clear(&a->partial);
}

/* ---- what rotation does ---- */

static bool is_there(zoo *z, const char *name)
{
    return access(rig_file(&z->r, name), F_OK) == 0;
}

static void make_room(zoo *z, const app *a)
{
    char from[64], to[64];
    int last = 1;
    do
        snprintf(from, sizeof from, "%s.%d", a->name, last++);
    while (is_there(z, from));
    for (int i = last - 2; i > 0; i--) {
        snprintf(from, sizeof from, "%s.%d", a->name, i);
        snprintf(to, sizeof to, "%s.%d", a->name, i + 1);
        rig_rename(&z->r, from, to);
    }
}

static void rotate_by_rename(zoo *z, app *a)
{
    if (!is_there(z, a->name)) return;
    say(z, "rename", a->name);
    make_room(z, a);
    char to[64];
    snprintf(to, sizeof to, "%s.1", a->name);
    rig_rename(&z->r, a->name, to);
    end_partial(z, a);
}

/* Long enough for the agent to have opened everything. */
static void let_it_look(zoo *z)
{
    rig_sleep_ms(z->r.conf.watch == TAIL_WATCH_POLL ? 120 : 40);
}

static void restart(zoo *z, bool kill);

static void rotate_by_copy(zoo *z, app *a)
{
    if (!is_there(z, a->name)) return;
    /* A copy outside the patterns is found by what is known of its original. */
    if (z->running) let_it_look(z);
    say(z, "copytruncate", a->name);
    make_room(z, a);
    char to[64];
    snprintf(to, sizeof to, "%s.1", a->name);
    rig_copy(&z->r, a->name, to);
    if (roll(z, 4) == 0) rig_sleep_ms((int)roll(z, 20));
    if (roll(z, 6) == 0 && z->running) restart(z, true);
    rig_truncate(&z->r, a->name, 0);
    end_partial(z, a);
}

static void link_twice(zoo *z, app *a)
{
    char other[64];
    snprintf(other, sizeof other, "link-to-%s", a->name);
    if (!is_there(z, a->name)) return;
    say(z, "link", a->name);
    unlink(rig_file(&z->r, other));
    if (roll(z, 2))
        ck_assert_int_eq(link(rig_file(&z->r, a->name), rig_file(&z->r, other)), 0);
    else
        ck_assert_int_eq(symlink(a->name, rig_file(&z->r, other)), 0);
    /* A second hard name would keep a rotated file in sight, and later lead elsewhere: both are cases of
     * their own. */
    if (z->running) let_it_look(z);
    unlink(rig_file(&z->r, other));
}

/* ---- what happens to the agent ---- */

static void start(zoo *z)
{
    say(z, "start", "");
    rig_start(&z->r);
    z->running = true;
}

static void end(zoo *z, bool kill)
{
    kill = kill && !z->unsafe_to_kill;
    z->unsafe_to_kill = false;
    say(z, kill ? "kill" : "stop", "");
    z->r.in.full = false;
    if (kill)
        rig_kill(&z->r);
    else
        rig_stop(&z->r);
    z->r.in.hold_receipts = false;
    z->running = false;
}

static void restart(zoo *z, bool kill)
{
    end(z, kill);
    start(z);
}

static void release_all_here(void *arg)
{
    zoo *z = arg;
    rig_release_all(&z->r.in);
    sl_input_tail.input->resume(z->r.self);
}

static void set_pipeline(zoo *z, bool full, bool hold)
{
    if (!z->running) return;
    say(z, full ? "full" : hold ? "hold" : "flow", "");
    z->r.in.full = full;
    z->r.in.hold_receipts = hold;
    sl_loop_call_wait(z->r.in.loop, release_all_here, z);
}

/* What a deleted file holds is nowhere else: a kill before it was read, or before the receipt, would lose it.
 */
static void delete_file(zoo *z, app *a)
{
    if (!z->running || !is_there(z, a->name) || z->r.conf.max_open_files == TAIL_MIN_OPEN) return;
    bool killable = roll(z, 2);
    if (killable) set_pipeline(z, false, false);
    let_it_look(z);
    say(z, "delete", a->name);
    rig_remove(&z->r, a->name);
    end_partial(z, a);
    z->unsafe_to_kill = true;
    if (!killable) return;
    for (int i = 0; i < 2000 && rig_delivered(&z->r) < z->n_expected; i++)
        rig_sleep_ms(1);
    rig_sleep_ms(60); /* the checkpoint */
    z->unsafe_to_kill = false;
}

static void step(zoo *z)
{
    app *a = &z->apps[roll(z, APPS)];
    switch (roll(z, 20)) {
    case 0: rotate_by_rename(z, a); break;
    case 1: rotate_by_copy(z, a); break;
    case 2:
        rotate_by_rename(z, a);
        write_lines(z, a);
        rotate_by_rename(z, a);
        break;
    case 3: delete_file(z, a); break;
    case 4: link_twice(z, a); break;
    case 5:
        if (z->running)
            end(z, roll(z, 2));
        else
            start(z);
        break;
    case 6:
        if (z->running) restart(z, true);
        break;
    case 7: set_pipeline(z, roll(z, 2), roll(z, 2)); break;
    case 8: set_pipeline(z, false, false); break;
    case 9: rig_sleep_ms((int)roll(z, 30)); break;
    default: write_lines(z, a); break;
    }
}

/* ---- a seed ---- */

/* Where a line is that never came. */
static void show_place(zoo *z, const char *text)
{
    char command[1000];
    snprintf(command, sizeof command, "cd %s && ls -i *.log* | tr '\\n' ' ' >&2; grep -nboe '%.40s' * >&2",
             z->r.dir, text);
    if (system(command) != 0) fprintf(stderr, "it is in no file\n");
}

static void check_all(zoo *z, unsigned seed)
{
    for (int i = 0; i < 5000 && rig_delivered(&z->r) < z->n_expected; i++)
        rig_sleep_ms(1);
    rig_settle(&z->r);
    size_t lost = 0, doubled = 0;
    for (size_t i = 0; i < z->n_expected; i++) {
        size_t seen = rig_times_seen(&z->r, z->expected[i]);
        if (seen == 0 && lost++ < 5) {
            fprintf(stderr, "seed %u lost: %.60s\n", seed, z->expected[i]);
            if (z->talk) show_place(z, z->expected[i]);
        }
        if (seen > 1 && doubled++ < 5) fprintf(stderr, "seed %u doubled: %.60s\n", seed, z->expected[i]);
    }
    size_t strangers = z->r.in.n_delivered + lost - doubled - z->n_expected;
    ck_assert_msg(lost == 0 && doubled == 0 && z->r.in.n_delivered == z->n_expected,
                  "seed %u: of %zu lines %zu lost, %zu doubled, %zu strange", seed, z->n_expected, lost,
                  doubled, strangers);
}

static void run_seed(unsigned seed, bool talk)
{
    zoo *z = sl_calloc(1, sizeof *z);
    rig_init(&z->r);
    z->rnd = z->r.seed = seed * 7919 + 1;
    z->talk = talk;
    rig_path(&z->r, seed % 2 ? "app-?.log" : "app-?.log*");
    rig_path(&z->r, "link-to-*");
    if (seed % 5 == 4) z->r.conf.watch = TAIL_WATCH_POLL;
    if (seed % 7 == 6) z->r.conf.max_open_files = TAIL_MIN_OPEN;
    z->r.times.quiet = 100 * SL_NS_PER_MS;
    for (int i = 0; i < APPS; i++)
        snprintf(z->apps[i].name, sizeof z->apps[i].name, "app-%c.log", 'a' + i);
    start(z);
    for (int i = 0; i < APPS; i++)
        write_lines(z, &z->apps[i]);
    let_it_look(z);
    for (int i = 0; i < STEPS; i++)
        step(z);
    if (!z->running) start(z);
    set_pipeline(z, false, false);
    for (int i = 0; i < APPS; i++) /* `app.log.1` is known to be rotated by the `app.log` beside it */
    {
        write_lines(z, &z->apps[i]);
        write_end(z, &z->apps[i]);
    }
    check_all(z, seed);
    rig_release(&z->r);
    for (size_t i = 0; i < z->n_expected; i++)
        sl_free(z->expected[i]);
    sl_free(z->expected);
    for (int i = 0; i < APPS; i++)
        sl_buf_release(&z->apps[i].partial);
    sl_free(z);
}

START_TEST(zoo__every_line_comes_once_whatever_happens)
{
    const char *one = getenv("ZOO_SEED"), *many = getenv("ZOO_SEEDS");
    if (one) {
        run_seed((unsigned)atoi(one), true);
        return;
    }
    unsigned seeds = many ? (unsigned)atoi(many) : 30;
    time_t until = time(NULL) + (many ? 3600 : MAX_SECONDS);
    for (unsigned seed = 0; seed < seeds && time(NULL) < until; seed++)
        run_seed(seed, false);
}
END_TEST

SL_TEST_MAIN("tail zoo", zoo__every_line_comes_once_whatever_happens)
