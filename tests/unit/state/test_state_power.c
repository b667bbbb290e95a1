/* The state database when the power goes: a durable commit is there, with all before it; any other is there
 * whole or not at all, and none without those before it. */
#include "check_main.h"
#include "sqlite_disk.h"
#include "state/state_db.h"
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COMMITS 60

static uint64_t seed;
static uint64_t roll_dice(uint64_t sides)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed % sides;
}

static uint64_t tried, durable; /* numbers of commits */
static uint64_t tried_at_cut, durable_at_cut;
static bool was_cut;

static void on_cut(void)
{
    was_cut = true;
    tried_at_cut = tried;
    durable_at_cut = durable;
}

/* Two values that only one transaction changes, and a large one so that pages move. */
static void put_number(sl_state *state, uint64_t number)
{
    char text[32], large[9000], key[16];
    size_t len = 1 + roll_dice(sizeof large);
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    snprintf(key, sizeof key, "large-%u", (unsigned)roll_dice(30));
    memset(large, 'a' + (int)(number % 26), len);
    sl_err err = SL_ERR_NONE;
    ck_assert_int_eq(sl_state_put(state, SL_SPAN("first"), sl_span_of(text), &err), 0);
    ck_assert_int_eq(sl_state_put(state, sl_span_of(key), (sl_span){large, len}, &err), 0);
    ck_assert_int_eq(sl_state_put(state, SL_SPAN("second"), sl_span_of(text), &err), 0);
}

static void run_commits(const char *dir, bool with_failed_syncs)
{
    sl_err err = SL_ERR_NONE;
    sl_state *state = sl_state_open(dir, SL_SPAN("s"), &err);
    ck_assert_msg(state != NULL, "%s", err.text);
    if (with_failed_syncs) sqlite_disk_fail_sync(1 + roll_dice(20));
    for (tried = 1; tried <= COMMITS; tried++) {
        bool synced = roll_dice(5) == 0;
        put_number(state, tried);
        if (sl_state_commit(state, synced, &err) == 0 && synced) durable = tried;
        if (roll_dice(20)) continue;
        sl_state_close(state); /* SQLite moves everything into the database and deletes its log */
        state = sl_state_open(dir, SL_SPAN("s"), &err);
        ck_assert_msg(state != NULL, "%s", err.text);
    }
    sl_state_close(state);
}

static uint64_t number_of(sl_state *state, const char *key)
{
    sl_buf value = SL_BUF_NONE;
    int rc = sl_state_get(state, sl_span_of(key), &value, NULL);
    uint64_t number = rc == 0 ? strtoull(sl_buf_cstr(&value), NULL, 10) : 0;
    sl_buf_release(&value);
    return number;
}

static void check_left(const char *left, uint64_t i)
{
    sl_err err = SL_ERR_NONE;
    sl_state *state = sl_state_open(left, SL_SPAN("s"), &err);
    ck_assert_msg(state != NULL, "seed %llu: %s", (unsigned long long)i, err.text);
    uint64_t first = number_of(state, "first"), second = number_of(state, "second");
    ck_assert_msg(first == second, "seed %llu: half of commit %llu is there", (unsigned long long)i,
                  (unsigned long long)(first > second ? first : second));
    ck_assert_msg(first >= durable_at_cut && first <= tried_at_cut,
                  "seed %llu: commit %llu is there; %llu was durable, %llu begun", (unsigned long long)i,
                  (unsigned long long)first, (unsigned long long)durable_at_cut,
                  (unsigned long long)tried_at_cut);
    sl_state_close(state);
}

/* A run of commits during which the power goes at some write or sync. Returns whether it did. */
static bool cut_once(uint64_t i, bool with_failed_syncs)
{
    static char dir[300], left[300], base[256];
    seed = i * 0x9E3779B97F4A7C15u;
    snprintf(base, sizeof base, "%s", sl_test_dir());
    snprintf(dir, sizeof dir, "%s/before", base);
    snprintf(left, sizeof left, "%s/after", base);
    ck_assert_int_eq(sl_fs_mkdir(dir, 0700), 0);
    ck_assert_int_eq(sl_fs_mkdir(left, 0700), 0);
    durable = tried = 0;
    was_cut = false;
    sqlite_disk_begin(roll_dice);
    sqlite_disk_cut(1 + roll_dice(roll_dice(4) ? 700 : 60), left, on_cut);
    run_commits(dir, with_failed_syncs);
    sqlite_disk_end();
    if (was_cut) check_left(left, i);
    return was_cut;
}

static void cut_often(bool with_failed_syncs)
{
    uint64_t cuts = 0;
    const char *only = getenv("SEED");
    for (uint64_t i = 1; i <= 120; i++)
        if (!only || strtoull(only, NULL, 10) == i) cuts += cut_once(i, with_failed_syncs);
    if (!only) ck_assert_uint_gt(cuts, 60);
}

START_TEST(state_power__what_was_durable_is_there)
{
    cut_often(false);
}
END_TEST

START_TEST(state_power__a_failed_sync_is_not_taken_for_success_later)
{
    cut_often(true);
}
END_TEST

SL_TEST_MAIN("state power", state_power__what_was_durable_is_there,
             state_power__a_failed_sync_is_not_taken_for_success_later)
