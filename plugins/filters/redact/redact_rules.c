/* redact_rules.c: from the configuration to rules: each detector, pattern and key gets a number and an
 * action. */
#include "redact_int.h"

#include <stdio.h>

#define HASH_KEY_MIN 16

/* What `default` means in `keys`. Compared as redact_keys_add() says: apikey is api_key and X-… is x_…. A
 * name that ends like very many others, `…id`, costs each of them a closer look. */
static const char *const default_keys[] = {"authorization",
                                           "proxy-authorization",
                                           "cookie",
                                           "set-cookie",
                                           "x-api-key",
                                           "x-auth-token",
                                           "x-vault-token",
                                           "private-token",
                                           "x-csrf-token",
                                           "x-xsrf-token",
                                           "x-amz-signature",
                                           "x-goog-signature",
                                           "x-amz-security-token",
                                           "api_key",
                                           "*_api_key",
                                           "api_secret",
                                           "api_token",
                                           "*_api_token",
                                           "password",
                                           "*password",
                                           "password_hash",
                                           "password_confirmation",
                                           "password_confirm",
                                           "passwords",
                                           "passwd",
                                           "*_passwd",
                                           "pwd",
                                           "*_pwd",
                                           "db_pass",
                                           "smtp_pass",
                                           "user_pass",
                                           "passphrase",
                                           "*_passphrase",
                                           "passcode",
                                           "secret",
                                           "*_secret",
                                           "secret_key",
                                           "*_secret_key",
                                           "secret_key_base",
                                           "client_secret",
                                           "secret_access_key",
                                           "*_secret_access_key",
                                           "shared_access_key",
                                           "account_key",
                                           "token",
                                           "access_token",
                                           "*_access_token",
                                           "refresh_token",
                                           "*_refresh_token",
                                           "id_token",
                                           "auth_token",
                                           "*_auth_token",
                                           "oauth_token",
                                           "session_token",
                                           "*_session_token",
                                           "csrf_token",
                                           "xsrf_token",
                                           "bearer_token",
                                           "security_token",
                                           "jwt",
                                           "client_assertion",
                                           "code_verifier",
                                           "otp",
                                           "private_key",
                                           "*_private_key",
                                           "encryption_key",
                                           "signing_key",
                                           "credentials",
                                           "card_number",
                                           "credit_card",
                                           "credit_card_number",
                                           "cc_number",
                                           "pan",
                                           "cvv",
                                           "cvv2",
                                           "cvc",
                                           "card_cvv",
                                           "card_cvc",
                                           "ssn",
                                           "social_security_number"};

const char *const redact_detect_names[] = {"none", "default", "all",
#define NAME(upper, lower, help) #lower,
                                           REDACT_DETECTORS(NAME)
#undef NAME
                                               NULL};

typedef struct builder {
    redact_rules *rules;
    const redact_conf *conf;
    sl_err *err;
} builder;

/* ---- actions ----------------------------------------------------------------------------------- */

/* What is written last decides: `mask: 4` alone is a mask, `with: x` alone a replacement. */
static redact_action resolve(const redact_action_conf *own, const redact_action_conf *common)
{
    redact_action action = {(redact_verb)common->verb, (uint32_t)common->mask, common->with};

    if (!common->verb_set && common->mask_set) action.verb = REDACT_MASK;
    if (own->with_set) action.with = own->with;
    if (own->mask_set) action.keep = (uint32_t)own->mask;
    if (own->verb_set)
        action.verb = (redact_verb)own->verb;
    else if (own->mask_set)
        action.verb = REDACT_MASK;
    else if (own->with_set)
        action.verb = REDACT_REPLACE;
    return action;
}

static uint32_t add_rule(builder *b, const char *kind, sl_span name, const redact_action_conf *action)
{
    redact_rules *rules = b->rules;
    sl_buf label = SL_BUF_NONE;

    rules->rule = sl_realloc(rules->rule, (rules->count + 1) * sizeof *rules->rule);
    redact_rule *rule = &rules->rule[rules->count];
    rule->action = resolve(action, &b->conf->action);
    rules->hashes = rules->hashes || rule->action.verb == REDACT_HASH;
    sl_buf_printf(&label, "%s" SL_SPAN_FMT, kind, SL_SPAN_ARG(name));
    rule->label = sl_strndup(label.ptr, label.len);
    sl_buf_release(&label);
    return rules->count++;
}

static void add_detectors(builder *b)
{
    static const redact_action_conf none = {.verb_set = false};

    for (uint32_t i = 0; i < REDACT_DETECTOR_COUNT; i++)
        add_rule(b, "", sl_span_of(redact_detect_names[REDACT_DETECT_FIRST + i]), &b->conf->actions[i]);
    uint32_t nested = add_rule(b, "", SL_SPAN("nested"), &none);
    b->rules->rule[nested].action.verb = REDACT_REPLACE;
}

/* ---- detect ------------------------------------------------------------------------------------ */

static int read_detect(builder *b)
{
    const sl_list *list = &b->conf->detect;
    bool none = false;

    for (size_t i = 0; i < list->count; i++) {
        int value = SL_LIST_AT(*list, int, i);
        if (value == REDACT_DETECT_NONE)
            none = true;
        else if (value == REDACT_DETECT_DEFAULT)
            b->rules->detect |= REDACT_DEFAULT_DETECT;
        else if (value == REDACT_DETECT_ALL)
            b->rules->detect |= (UINT32_C(1) << REDACT_DETECTOR_COUNT) - 1;
        else
            b->rules->detect |= UINT32_C(1) << (value - REDACT_DETECT_FIRST);
    }
    if (none && b->rules->detect)
        return sl_err_set(b->err, SL_E_CONFIG, "option `detect`: `none` can't stand beside a detector");
    return 0;
}

/* ---- patterns ---------------------------------------------------------------------------------- */

static int read_patterns(builder *b)
{
    const sl_list *list = &b->conf->patterns;

    b->rules->patterns = sl_calloc(list->count + 1, sizeof *b->rules->patterns);
    for (size_t i = 0; i < list->count; i++) {
        const redact_pattern_conf *conf = &SL_LIST_AT(*list, redact_pattern_conf, i);
        if (conf->name.len == 0)
            return sl_err_set(b->err, SL_E_CONFIG, "option `patterns`: a `name` is empty; metrics show it");
        for (size_t j = 0; j < i; j++) {
            if (sl_span_is(SL_LIST_AT(*list, redact_pattern_conf, j).name, conf->name))
                return sl_err_set(b->err, SL_E_CONFIG, "option `patterns`: two are named `" SL_SPAN_FMT "`",
                                  SL_SPAN_ARG(conf->name));
        }
        b->rules->patterns[i].regex = conf->regex;
        b->rules->patterns[i].rule = add_rule(b, "pattern:", conf->name, &conf->action);
        b->rules->pattern_count++;
    }
    return 0;
}

/* ---- keys -------------------------------------------------------------------------------------- */

static bool is_glob(sl_span name)
{
    return memchr(name.ptr, '*', name.len) || memchr(name.ptr, '?', name.len);
}

static int check_name(builder *b, const char *option, sl_span name)
{
    if (name.len > REDACT_MAX_NAME)
        return sl_err_set(b->err, SL_E_CONFIG, "option `%s`: a name is longer than %d bytes", option,
                          REDACT_MAX_NAME);
    for (size_t i = 0; i < name.len; i++) {
        if (!strchr("-_ ", name.ptr[i])) return 0;
    }
    return sl_err_set(b->err, SL_E_CONFIG, "option `%s`: `" SL_SPAN_FMT "` names nothing", option,
                      SL_SPAN_ARG(name));
}

/* The step of a pattern of paths that begins at `at`, without what stands between steps; *next is behind it.
 */
static sl_span step_at(sl_span name, size_t at, size_t *next)
{
    size_t start = at + (name.ptr[at] == '.' || name.ptr[at] == '['), end = start;

    while (end < name.len && !strchr(name.ptr[at] == '[' ? "]" : ".[", name.ptr[end]))
        end++;
    *next = name.ptr[at] == '[' && end < name.len ? end + 1 : end;
    return (sl_span){name.ptr + start, end - start};
}

static bool is_index(sl_span step)
{
    for (size_t i = 0; i < step.len; i++) {
        if (!is_digit(step.ptr[i])) return false;
    }
    return step.len > 0;
}

/* A pattern as a path: `users[*].na?e` is ["users"]["*"]["na?e"]. */
static void write_path(sl_span name, sl_buf *out)
{
    for (size_t at = 0; at < name.len;) {
        bool bracket = name.ptr[at] == '[';
        sl_span step = step_at(name, at, &at);
        bool written = bracket && (is_index(step) || (step.len > 1 && strchr("\"'", step.ptr[0])));
        sl_buf_append_char(out, '[');
        if (written)
            sl_buf_append_span(out, step);
        else
            sl_json_write_string(out, step);
        sl_buf_append_char(out, ']');
    }
}

static void note_wildcards(redact_path *path)
{
    uint32_t index;

    for (uint32_t i = 0; i < sl_path_length(path->path); i++) {
        sl_span step = sl_path_step(path->path, i, &index);
        if (!step.ptr || !is_glob(step) || step.len > REDACT_MAX_NAME) continue;
        path->wild[i] = redact_keys_new();
        redact_keys_add(path->wild[i], step, 0);
    }
}

static int add_path(builder *b, const char *option, sl_span name, int32_t rule)
{
    redact_rules *rules = b->rules;
    sl_buf pattern = SL_BUF_NONE;

    if (is_glob(name)) write_path(name, &pattern);
    sl_path *path = sl_path_parse(is_glob(name) ? sl_buf_span(&pattern) : name, b->err);
    sl_buf_release(&pattern);
    if (!path) return sl_err_prefix(b->err, "option `%s`: `" SL_SPAN_FMT "`", option, SL_SPAN_ARG(name));
    rules->paths = sl_realloc(rules->paths, (rules->path_count + 1) * sizeof *rules->paths);
    redact_path *added = &rules->paths[rules->path_count++];
    *added = (redact_path){.path = path, .rule = rule};
    note_wildcards(added);
    return 0;
}

/* A name with a dot or bracket is a path from the top, and the name of a member too: logs are flattened at
 * times. */
static int add_name(builder *b, const char *option, sl_span name, int32_t rule)
{
    redact_rules *rules = b->rules;

    if (check_name(b, option, name) < 0) return b->err ? b->err->code : SL_E_CONFIG;
    redact_keys_add(rules->keys, name, rule);
    redact_keys_add(rules->text, name, rule == REDACT_EXCEPTED ? REDACT_EXCEPTED : REDACT_KEY_VALUE);
    bool is_path = memchr(name.ptr, '.', name.len) || memchr(name.ptr, '[', name.len);
    return is_path ? add_path(b, option, name, rule) : 0;
}

static int add_default_keys(builder *b, const redact_action_conf *action)
{
    for (size_t i = 0; i < SL_LEN(default_keys); i++) {
        sl_span name = sl_span_of(default_keys[i]);
        int rc = add_name(b, "keys", name, (int32_t)add_rule(b, "key:", name, action));
        if (rc < 0) return rc;
    }
    return 0;
}

static int read_keys(builder *b)
{
    const sl_list *list = &b->conf->keys;
    int rc = 0;

    for (size_t i = 0; i < b->conf->except.count && rc == 0; i++)
        rc = add_name(b, "except", SL_LIST_AT(b->conf->except, sl_span, i), REDACT_EXCEPTED);
    for (size_t i = 0; i < list->count && rc == 0; i++) {
        const redact_key_conf *conf = &SL_LIST_AT(*list, redact_key_conf, i);
        if (sl_span_is_cstr(conf->match, "default"))
            rc = add_default_keys(b, &conf->action);
        else
            rc = add_name(b, "keys", conf->match, (int32_t)add_rule(b, "key:", conf->match, &conf->action));
    }
    for (size_t i = 0; i < SL_LEN(default_keys); i++) /* text has these names whatever `keys` says */
        redact_keys_add(b->rules->text, sl_span_of(default_keys[i]), REDACT_KEY_VALUE);
    return rc;
}

/* ---- hash -------------------------------------------------------------------------------------- */

static int read_hash(builder *b)
{
    const redact_hash_conf *hash = &b->conf->hash;

    b->rules->hash_key = hash->key;
    b->rules->hash_encoding = hash->encoding;
    b->rules->hash_length = (uint32_t)hash->length;
    if (b->rules->hashes && hash->key.len < HASH_KEY_MIN)
        return sl_err_set(b->err, SL_E_CONFIG,
                          "option `hash`: the action `hash` needs a `key` of %d bytes or more; write `hash: "
                          "{key: \"${file:/run/secrets/redact}\"}`",
                          HASH_KEY_MIN);
    return 0;
}

/* ---- the whole --------------------------------------------------------------------------------- */

redact_rules *redact_rules_new(const redact_conf *conf, sl_err *err)
{
    builder b = {sl_calloc(1, sizeof(redact_rules)), conf, err};

    b.rules->keys = redact_keys_new();
    b.rules->text = redact_keys_new();
    add_detectors(&b);
    if (read_detect(&b) < 0 || read_patterns(&b) < 0 || read_keys(&b) < 0 || read_hash(&b) < 0) {
        redact_rules_free(b.rules);
        return NULL;
    }
    return b.rules;
}

void redact_rules_free(redact_rules *rules)
{
    if (!rules) return;
    for (uint32_t i = 0; i < rules->count; i++)
        sl_free(rules->rule[i].label);
    for (uint32_t i = 0; i < rules->path_count; i++) {
        sl_path_free(rules->paths[i].path);
        for (size_t step = 0; step < SL_PATH_MAX_STEPS; step++)
            redact_keys_free(rules->paths[i].wild[step]);
    }
    redact_keys_free(rules->keys);
    redact_keys_free(rules->text);
    sl_free(rules->rule);
    sl_free(rules->paths);
    sl_free(rules->patterns);
    sl_free(rules);
}
