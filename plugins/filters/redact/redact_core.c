/* redact_core.c: an instance, and the fields that paths name. */
#include "redact_int.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <stdlib.h>

/* ---- paths ------------------------------------------------------------------------------------- */

typedef struct path_walk {
    redact *r;
    const redact_path *path;
    sl_span text;
    const sl_token *tok;
} path_walk;

static bool is_key(path_walk *w, uint32_t key, uint32_t step, sl_span name)
{
    const sl_token *tok = &w->tok[key];
    const redact_keys *wild = w->path->wild[step];
    sl_span spelling = {w->text.ptr + tok->off, tok->len};

    if (tok->flags & SL_TOKEN_ESCAPED) spelling = redact__decode(w->r, spelling, &w->r->scratch);
    return wild ? redact_keys_find(wild, spelling) != REDACT_NO_RULE : redact_names_equal(spelling, name);
}

static void follow(path_walk *w, uint32_t step, uint32_t at);

/* `*` takes every element of an array, an index one of them. */
static void follow_array(path_walk *w, uint32_t step, uint32_t at)
{
    const sl_token *tok = w->tok;
    uint32_t index;
    sl_span name = sl_path_step(w->path->path, step, &index);
    bool each = name.ptr && sl_span_is_cstr(name, "*");

    for (uint32_t e = at + 1, i = 0; e < tok[at].next; e = tok[e].next, i++) {
        if (each || (!name.ptr && i == index)) follow(w, step + 1, e);
    }
}

/* Every value that the steps from `step` on lead to, also through keys that stand there twice. At most twice
 * as deep as a path has steps. */
static void follow(path_walk *w, uint32_t step, uint32_t at)
{
    const sl_token *tok = w->tok;
    uint32_t index;

    if (step == sl_path_length(w->path->path)) {
        redact__add_hit(w->r, &w->r->named, at, 0, (uint32_t)w->path->rule);
        return;
    }
    if (tok[at].type == SL_JSON_ARRAY) follow_array(w, step, at);
    sl_span name = sl_path_step(w->path->path, step, &index);
    if (!name.ptr || tok[at].type != SL_JSON_OBJECT) return;
    for (uint32_t k = at + 1; k < tok[at].next; k = tok[k + 1].next) {
        if (is_key(w, k, step, name)) follow(w, step + 1, k + 1);
    }
}

/* By position; at the same one an exception first, then the rule that was written first. */
static int compare_named(const void *left, const void *right)
{
    const redact_hit *a = left, *b = right;

    if (a->start != b->start) return a->start < b->start ? -1 : 1;
    bool a_out = (int32_t)a->rule == REDACT_EXCEPTED, b_out = (int32_t)b->rule == REDACT_EXCEPTED;
    if (a_out != b_out) return a_out ? -1 : 1;
    return a->rule < b->rule ? -1 : a->rule > b->rule;
}

void redact__find_named(redact *r, sl_span text, const sl_token *tok)
{
    r->named.count = 0;
    for (uint32_t i = 0; i < r->rules->path_count; i++) {
        path_walk w = {r, &r->rules->paths[i], text, tok};
        follow(&w, 0, 0);
    }
    if (r->named.count > 1) qsort(r->named.items, r->named.count, sizeof *r->named.items, compare_named);
}

/* ---- an instance ------------------------------------------------------------------------------- */

redact_level *redact__level(redact *r, unsigned depth)
{
    sl_assert(depth <= REDACT_MAX_NESTED);
    if (SL_UNLIKELY(!r->levels[depth])) r->levels[depth] = sl_calloc(1, sizeof(redact_level));
    return r->levels[depth];
}

static void free_level(redact_level *level)
{
    if (!level) return;
    sl_tape_release(&level->tape);
    sl_buf_release(&level->plain);
    sl_free(level->marks.words);
    sl_free(level->in_plain.words);
    sl_free(level->hits.items);
    sl_free(level->edits.items);
    sl_free(level->inner.items);
    sl_free(level->changes.items);
    sl_free(level->first.items);
    sl_free(level);
}

static int make_hmac(redact *r, sl_err *err)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    sl_span key = r->rules->hash_key;

    r->hmac = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    if (r->hmac && EVP_MAC_init(r->hmac, (const unsigned char *)key.ptr, key.len, params) == 1) return 0;
    return sl_err_set(err, SL_E_UNSUPPORTED, "OpenSSL offers no HMAC-SHA256; the action `hash` needs it");
}

redact *redact_new(const redact_rules *rules, sl_err *err)
{
    redact *r = sl_calloc(1, sizeof *r);

    r->rules = rules;
    r->counts = sl_calloc(rules->count, sizeof *r->counts);
    if (rules->hashes && make_hmac(r, err) < 0) {
        redact_free(r);
        return NULL;
    }
    return r;
}

void redact_free(redact *r)
{
    if (!r) return;
    for (size_t i = 0; i < SL_LEN(r->levels); i++)
        free_level(r->levels[i]);
    EVP_MAC_CTX_free(r->hmac);
    sl_arena_release(&r->arena);
    sl_buf_release(&r->scratch);
    sl_buf_release(&r->rounds[0]);
    sl_buf_release(&r->rounds[1]);
    sl_free(r->named.items);
    sl_free(r->counts);
    sl_free(r);
}

const redact_edits *redact_text(redact *r, sl_span text, const sl_token *tok, uint32_t count)
{
    if (r->arena.used) sl_arena_clear(&r->arena);
    r->failed = false;
    r->named.count = 0;
    if (r->rules->path_count > 0) redact__find_named(r, text, tok);
    redact__walk(r, 0, text, tok, count);
    return r->failed ? NULL : &redact__level(r, 0)->edits;
}
