/* redact.c: the filter `redact`: takes secrets out of records before anything is written or sent.
 *
 * By key: `keys` names fields whose values are secrets, at any depth. By content: `detect` and `patterns`
 * find secrets in every string, number and key, in whole values and inside longer text, however JSON spells
 * them, also in JSON that was written into a string. `except` names fields that are left as they are, with
 * all that is in them.
 *
 * A bare `redact: {}` takes the values of keys like password, token, authorization, cookie, api_key
 * (`default` in `keys`) and finds e-mail addresses, cards, JWTs, bearer and basic credentials, AWS keys,
 * private keys, credentials in URLs and `password=…` in text (`default` in `detect`). The output is valid
 * JSON always, and redacting it again changes nothing.
 *
 *   redact:
 *     keys: [default, session_id, {match: "x-*", action: hash}, user.email]
 *     except: [support_email]
 *     detect: [default, iban]
 *     patterns: [{name: order, regex: 'ORD-\d{8}', mask: 4}]
 *     actions: {card: {mask: 4}, email: hash}
 *     hash: {key: "${file:/run/secrets/redact}"}
 */
#include "redact_int.h"

#include <sluice/plugin.h>

/* ---- options ----------------------------------------------------------------------------------- */

static const char *const verbs[] = {"replace", "mask", "remove", "hash", NULL};
static const char *const encodings[] = {"hex", "base64url", NULL};

#define ACTION_HELP                                                                                          \
    "What is done with it: `replace` by `with`; `mask` all but the last characters; `remove`, the field if " \
    "it is all "                                                                                             \
    "there is in it; or `hash`, so that equal values stay equal."
#define WITH_HELP "What a secret reads instead."
#define MASK_HELP                                                                                            \
    "Characters that a mask leaves readable at the end, half of them at most; given alone it means `mask`."

/* The rows of an action at `base` of a struct; `main`: SL_OPT_MAIN when an action's name alone will do. */
#define ACTION_ROWS(base, main, verb_default, with_default, mask_default)                                    \
    {"action",                                                                                               \
     SL_OPT_ENUM,                                                                                            \
     (base) + offsetof(redact_action_conf, verb),                                                            \
     .def = verb_default,                                                                                    \
     .flags = (main),                                                                                        \
     .names = verbs,                                                                                         \
     .set_offset = (base) + offsetof(redact_action_conf, verb_set),                                          \
     .help = ACTION_HELP},                                                                                   \
        {"with",                                                                                             \
         SL_OPT_STRING,                                                                                      \
         (base) + offsetof(redact_action_conf, with),                                                        \
         .def = with_default,                                                                                \
         .set_offset = (base) + offsetof(redact_action_conf, with_set),                                      \
         .help = WITH_HELP},                                                                                 \
    {                                                                                                        \
        "mask", SL_OPT_INT, (base) + offsetof(redact_action_conf, mask),                                     \
            .def = mask_default, .min = 0, .max = 1000,                                                      \
            .set_offset = (base) + offsetof(redact_action_conf, mask_set), .unit = "characters",             \
            .help = MASK_HELP                                                                                \
    }

static const sl_option action_rows[] = {ACTION_ROWS(0, SL_OPT_MAIN, NULL, NULL, NULL), {0}};

static const sl_option key_rows[] = {{"match", SL_OPT_STRING, offsetof(redact_key_conf, match),
                                      .flags = SL_OPT_REQUIRED | SL_OPT_MAIN,
                                      .help = "A key, at any depth; case, `-` and `_` do not count. With `*` "
                                              "and `?` a pattern of keys, with `.` or `[` a "
                                              "path from the top, with patterns as "
                                              "steps if need be: `user.email`, `users[*].*_id`."},
                                     ACTION_ROWS(offsetof(redact_key_conf, action), 0, NULL, NULL, NULL),
                                     {0}};

static const sl_option pattern_rows[] = {
    {"name", SL_OPT_STRING, offsetof(redact_pattern_conf, name), .flags = SL_OPT_REQUIRED,
     .help = "How metrics call the pattern."},
    {"regex", SL_OPT_REGEX, offsetof(redact_pattern_conf, regex), .flags = SL_OPT_REQUIRED,
     .help = "What it matches, in decoded strings, numbers and keys, is a secret (PCRE2). Where it gives up, "
             "the whole "
             "string is."},
    ACTION_ROWS(offsetof(redact_pattern_conf, action), 0, NULL, NULL, NULL),
    {0}};

static const sl_option actions_rows[] = {
#define ACTION(upper, lower, what)                                                                           \
    {#lower, SL_OPT_GROUP, REDACT_##upper * sizeof(redact_action_conf), .rows = action_rows,                 \
     .help = "What is done with " what "."},
    REDACT_DETECTORS(ACTION)
#undef ACTION
        {0}};

static const sl_option hash_rows[] = {
    {"key", SL_OPT_SECRET, offsetof(redact_hash_conf, key), .flags = SL_OPT_MAIN,
     .help = "Key of the HMAC-SHA256, 16 bytes or more. Keep it as long as hashes are to be compared."},
    {"encoding", SL_OPT_ENUM, offsetof(redact_hash_conf, encoding), .def = "hex", .names = encodings,
     .help = "How the hash is written."},
    {"length", SL_OPT_INT, offsetof(redact_hash_conf, length), .def = "16", .min = 8, .max = 64,
     .unit = "characters", .help = "Characters of the hash that are kept."},
    {0}};

static const sl_option options[] = {
    {"keys", SL_OPT_GROUP, offsetof(redact_conf, keys), .def = "[default]", .flags = SL_OPT_LIST,
     .rows = key_rows, .row_size = sizeof(redact_key_conf),
     .help = "Keys whose values are secrets, at any depth: names, patterns, paths. `default` stands for "
             "passwords, "
             "tokens, API keys, cookies, authorization headers, card numbers and their like."},
    {"except", SL_OPT_STRING, offsetof(redact_conf, except), .flags = SL_OPT_LIST,
     .help = "Keys, written as in `keys`, whose values are left as they are with all that is in them."},
    {"detect", SL_OPT_ENUM, offsetof(redact_conf, detect), .def = "[default]", .flags = SL_OPT_LIST,
     .names = redact_detect_names,
     .help = "Secrets that are known by how they look. `default` stands for email, card, jwt, bearer, basic, "
             "aws_key, private_key, url_credentials and key_value. A secret must stand in one record: the "
             "lines of a private key that are records of their own are not known as such."},
    {"patterns", SL_OPT_GROUP, offsetof(redact_conf, patterns), .flags = SL_OPT_LIST, .rows = pattern_rows,
     .row_size = sizeof(redact_pattern_conf), .help = "Secrets of your own, as regular expressions."},
    ACTION_ROWS(offsetof(redact_conf, action), 0, "replace", "'[REDACTED]'", "4"),
    {"actions", SL_OPT_GROUP, offsetof(redact_conf, actions), .rows = actions_rows,
     .help = "Actions of single detectors, where they differ: `{card: {mask: 4}, email: hash}`."},
    {"hash", SL_OPT_GROUP, offsetof(redact_conf, hash), .rows = hash_rows,
     .help = "How the action `hash` works."},
    {0}};

static int check(void *conf, sl_err *err)
{
    redact_conf *c = conf;

    c->rules = redact_rules_new(c, err);
    return c->rules ? 0 : SL_E_CONFIG;
}

static void conf_release(void *conf)
{
    redact_rules_free(((redact_conf *)conf)->rules);
}

/* ---- the filter -------------------------------------------------------------------------------- */

#define COUNTER_NAME "redacted_total"
#define COUNTER_HELP "Secrets that were taken out, by rule."

typedef struct self {
    sl_filter *filter;
    redact *core;
    sl_counter **counters; /* of each rule; keys' are made when they first count */
    sl_counter *records;
} self;

static sl_counter *counter_of(self *me, uint32_t rule)
{
    if (!me->counters[rule])
        me->counters[rule] = sl_filter_counter_labelled(me->filter, COUNTER_NAME, COUNTER_HELP, "rule",
                                                        me->core->rules->rule[rule].label);
    return me->counters[rule];
}

static void *start(sl_filter *filter, const void *conf, sl_err *err)
{
    const redact_rules *rules = ((const redact_conf *)conf)->rules;
    redact *core = redact_new(rules, err);

    if (!core) return NULL;
    self *me = sl_calloc(1, sizeof *me);
    *me = (self){filter, core, sl_calloc(rules->count, sizeof *me->counters), NULL};
    me->records = sl_filter_counter(filter, "records_redacted_total", "Records that had secrets taken out.");
    for (uint32_t i = 0; i < REDACT_DETECTOR_COUNT; i++) {
        if (rules->detect >> i & 1) counter_of(me, i);
    }
    for (uint32_t i = 0; i < rules->pattern_count; i++)
        counter_of(me, rules->patterns[i].rule);
    return me;
}

/* Returns whether the record changed. What could not be looked through does not pass. */
static bool redact_record(self *me, sl_batch *batch, sl_record *rec)
{
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    const redact_edits *edits =
        tok ? redact_text(me->core, (sl_span){rec->text, rec->len}, tok, count) : NULL;

    if (!edits) {
        sl_record_set_fate(batch, rec, SL_FATE_DROPPED, "redact_out_of_memory");
        return false;
    }
    for (uint32_t i = 0; i < edits->count; i++) {
        const redact_edit *edit = &edits->items[i];
        sl_span with = edit->with.len ? sl_batch_dup(batch, edit->with) : SL_SPAN("");
        sl_record_splice(batch, rec, edit->off, edit->len, with);
    }
    return edits->count > 0;
}

/* ---- what all records of a batch have in common -------------------------------------------------- */

/* Whether something in it must change. It is counted for each record, not here. */
static bool has_secret(self *me, sl_span object, const sl_tape *tape)
{
    const redact_edits *edits = redact_text(me->core, object, tape->tok, tape->len);

    memset(me->core->counts, 0, me->core->rules->count * sizeof *me->core->counts);
    return !edits || edits->count > 0;
}

/* Gives the records the common fields for their own, by setting the first of them to what it is: then they
 * are looked through like any other. */
static void take_over(sl_batch *batch, sl_span object, const sl_token *tok)
{
    sl_buf name = SL_BUF_NONE;
    sl_err err = SL_ERR_NONE;
    bool string = tok[2].type == SL_JSON_STRING;
    sl_span value = {object.ptr + tok[2].off - string, tok[2].len + 2 * (size_t)string};

    sl_buf_printf(&name, "[\"" SL_SPAN_FMT "\"]", (int)tok[1].len, object.ptr + tok[1].off);
    sl_path *path = sl_path_parse(sl_buf_span(&name), &err);
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record *rec = &batch->recs[i];
        if (rec->fate != SL_FATE_LIVE || !(rec->flags & SL_RECORD_COMMON)) continue;
        if (!path || sl_record_set(batch, rec, path, value) < 0)
            sl_record_set_fate(batch, rec, SL_FATE_DROPPED, "redact_out_of_memory");
    }
    sl_path_free(path);
    sl_buf_release(&name);
}

/* A file may be named after a person. */
static void look_at_common(self *me, sl_batch *batch)
{
    sl_buf object = SL_BUF_NONE;
    sl_tape tape = {0};

    sl_buf_printf(&object, "{" SL_SPAN_FMT "}", SL_SPAN_ARG(batch->common));
    sl_json_result result = sl_json_index(&tape, sl_buf_span(&object));
    if (result.error == SL_JSON_OK && has_secret(me, sl_buf_span(&object), &tape))
        take_over(batch, sl_buf_span(&object), tape.tok);
    sl_tape_release(&tape);
    sl_buf_release(&object);
}

/* ---- all records --------------------------------------------------------------------------------- */

static void apply(void *self_, sl_batch *batch)
{
    self *me = self_;
    uint64_t changed = 0;

    if (batch->common.len > 0) look_at_common(me, batch);

    for (uint32_t i = 0; i < batch->count; i++) {
        /* Dead letters, too: they are kept on the disk. */
        bool kept = batch->recs[i].fate == SL_FATE_LIVE || batch->recs[i].fate == SL_FATE_DEAD_LETTERED;
        if (kept) changed += redact_record(me, batch, &batch->recs[i]);
    }
    if (changed == 0) return;
    sl_counter_add(me->records, changed);
    for (uint32_t i = 0; i < me->core->rules->count; i++) {
        if (me->core->counts[i] == 0) continue;
        sl_counter_add(counter_of(me, i), me->core->counts[i]);
        me->core->counts[i] = 0;
    }
}

static void free_self(void *self_)
{
    self *me = self_;

    redact_free(me->core);
    sl_free(me->counters);
    sl_free(me);
}

static const sl_filter_ops ops = {.start = start, .apply = apply, .free = free_self};

const sl_plugin sl_filter_redact = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_FILTER,
    .name = "redact",
    .help = "Takes secrets out: by key, and by how they look; replaces, masks, removes or hashes them.",
    .options = options,
    .conf_size = sizeof(redact_conf),
    .check = check,
    .conf_release = conf_release,
    .filter = &ops,
};
