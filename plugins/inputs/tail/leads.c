/* leads.c: wanted names that are symbolic links to files.
 *
 * What such a link leads to is followed under its own name, in its own folder: there it is rotated, there its
 * old bytes are found afterwards, and there nothing of what happens shows in the folder of the link. So that
 * folder is watched, too, and the name a link leads to counts as wanted as if a pattern matched it. Records
 * show the link.
 *
 * Links that have changed on the way (a link to a link) raise no event that we see: they are looked at by the
 * rescan.
 */
#include "tail_int.h"
#include <stdio.h>

#define MAX_HOPS 40

typedef struct tail_lead {
    char *link;
    char *target; /* where the chain of links ends; there may be no such file yet */
    uint32_t gen; /* scan that saw it last */
    tail_link all;
} tail_lead;

#define LEAD(link) sl_container_of((link), tail_lead, all)

static uint64_t path_key(const char *path)
{
    return tail_hash(path, strlen(path));
}

static tail_lead *find_link(const tail *t, const char *link)
{
    size_t at = 0;
    for (tail_lead *lead; (lead = tail_index_next(&t->leads_by_link, path_key(link), &at));)
        if (strcmp(lead->link, link) == 0) return lead;
    return NULL;
}

static const tail_lead *find_target(const tail *t, const char *target)
{
    size_t at = 0;
    for (tail_lead *lead; (lead = tail_index_next(&t->leads_by_target, path_key(target), &at));)
        if (strcmp(lead->target, target) == 0) return lead;
    return NULL;
}

const char *tail_lead_to(const tail *t, const char *path)
{
    const tail_lead *lead = find_target(t, path);
    return lead ? lead->link : NULL;
}

/* ---- where a link leads ---- */

/* Length of the folder's part of a path, with its slash. */
static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* One hop: puts what the link says in the place of its last name, or of everything. */
static bool hop(char path[TAIL_MAX_PATH], const char *text, size_t len)
{
    size_t keep = len && text[0] == '/' ? 0 : folder_len(path);
    if (len == 0 || keep + len >= TAIL_MAX_PATH) return false;
    memcpy(path + keep, text, len);
    path[keep + len] = '\0';
    return true;
}

/* The folder as the kernel names it, so that a file has one name whatever links lead to it. */
static bool straighten(char path[TAIL_MAX_PATH])
{
    char name[TAIL_MAX_PATH], folder[TAIL_MAX_PATH];
    size_t len = folder_len(path);
    snprintf(name, sizeof name, "%s", path + len);
    path[len] = '\0';
    if (sl_fs_realpath(path, folder, sizeof folder) < 0) return false;
    int n = snprintf(path, TAIL_MAX_PATH, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    return n > 0 && n < TAIL_MAX_PATH;
}

typedef enum chain {
    CHAIN_NONE, /* no link, or one that can't be followed */
    CHAIN_ENDS, /* at a name in a folder that is there */
    CHAIN_LOST, /* in a folder that is not there yet */
} chain;

static chain resolve(const char *link, char target[TAIL_MAX_PATH])
{
    char text[TAIL_MAX_PATH];
    snprintf(target, TAIL_MAX_PATH, "%s", link);
    for (int hops = 0; hops < MAX_HOPS; hops++) {
        ssize_t len = sl_fs_readlink(target, text, sizeof text);
        if (len < 0 && hops == 0) return CHAIN_NONE;
        if (len < 0) return straighten(target) ? CHAIN_ENDS : CHAIN_LOST;
        if (!hop(target, text, (size_t)len)) return CHAIN_NONE;
    }
    return CHAIN_NONE;
}

/* ---- what is known of links ---- */

/* Nothing may lead to that file any more. */
static void let_go(tail *t, const char *target)
{
    tail_file *f = tail_find_path(t, target);
    if (f && !f->left_ns && !tail_is_wanted(t, target)) tail_file_left(t, f, false);
}

static void set_target(tail *t, tail_lead *lead, const char *target)
{
    char *old = lead->target;
    if (old && target && strcmp(old, target) == 0) return;
    if (old) tail_index_remove(&t->leads_by_target, path_key(old), lead);
    lead->target = target ? sl_strdup(target) : NULL;
    if (target) tail_index_add(&t->leads_by_target, path_key(target), lead);
    if (old) let_go(t, old);
    sl_free(old);
}

static void free_lead(tail *t, tail_lead *lead)
{
    tail_index_remove(&t->leads_by_link, path_key(lead->link), lead);
    tail_unlink(&lead->all);
    set_target(t, lead, NULL);
    t->n_leads--;
    sl_free(lead->link);
    sl_free(lead);
}

static tail_lead *new_lead(tail *t, const char *link)
{
    tail_lead *lead = sl_calloc(1, sizeof *lead);
    lead->link = sl_strdup(link);
    tail_link_init(&lead->all);
    tail_append(&t->leads, &lead->all);
    tail_index_add(&t->leads_by_link, path_key(link), lead);
    t->n_leads++;
    return lead;
}

static void watch_home(tail *t, const tail_lead *lead)
{
    char folder[TAIL_MAX_PATH];
    size_t len = folder_len(lead->target);
    snprintf(folder, sizeof folder, "%.*s", (int)(len > 1 ? len - 1 : len), lead->target);
    tail_folder_seen(t, folder);
}

static bool is_link(const char *path)
{
    struct stat st;
    return sl_fs_lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static bool is_matched(const tail *t, const char *path)
{
    return tail_globs_match(t->conf->wanted, path) && !tail_globs_match(t->conf->unwanted, path);
}

/* path: of a name that is a link now, or was one. */
static char *follow(tail *t, const char *path)
{
    char target[TAIL_MAX_PATH];
    tail_lead *lead = find_link(t, path);
    chain end = is_link(path) ? resolve(path, target) : CHAIN_NONE;
    struct stat st;
    if (end == CHAIN_ENDS && sl_fs_stat(target, &st) == 0 && !S_ISREG(st.st_mode)) end = CHAIN_NONE;
    if (end == CHAIN_LOST) t->scan_again = true;
    if (end != CHAIN_ENDS || (!lead && t->n_leads >= TAIL_MAX_LEADS)) {
        if (lead) free_lead(t, lead);
        return NULL;
    }
    if (!lead) lead = new_lead(t, path);
    lead->gen = t->gen;
    set_target(t, lead, target);
    watch_home(t, lead);
    return sl_strdup(target);
}

char *tail_lead_follow(tail *t, const char *path)
{
    bool link = is_link(path);
    const char *first = link ? tail_lead_to(t, path) : NULL;
    if (!first) return find_link(t, path) || (link && is_matched(t, path)) ? follow(t, path) : NULL;
    char *start = sl_strdup(first); /* the chain has grown: what it began with goes on further */
    char *target = follow(t, start);
    sl_free(start);
    return target;
}

/* ---- all of them ---- */

void tail_leads_scan(tail *t, const char *only)
{
    for (tail_link *at = t->leads.next, *next; at != &t->leads; at = next) {
        next = at->next;
        tail_lead *lead = LEAD(at);
        if (lead->gen == t->gen) continue;
        if (!only || tail_is_below(lead->link, only)) {
            free_lead(t, lead);
        } else if (tail_is_below(lead->target, only)) {
            watch_home(t, lead);
            char *target = sl_strdup(lead->target);
            tail_meet(t, target, false);
            sl_free(target);
        }
    }
}

void tail_leads_check(tail *t)
{
    char target[TAIL_MAX_PATH];
    for (tail_link *at = t->leads.next, *next; at != &t->leads; at = next) {
        next = at->next;
        const tail_lead *lead = LEAD(at);
        if (resolve(lead->link, target) == CHAIN_ENDS && strcmp(target, lead->target) == 0) continue;
        char *link = sl_strdup(lead->link);
        tail_meet(t, link, false);
        sl_free(link);
    }
}

void tail_leads_free(tail *t)
{
    while (tail_is_linked(&t->leads))
        free_lead(t, LEAD(t->leads.next));
    tail_index_release(&t->leads_by_link);
    tail_index_release(&t->leads_by_target);
}
