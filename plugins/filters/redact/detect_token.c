/* detect_token.c: tokens and keys that tell what they are: JWT (RFC 7519), bearer (RFC 6750) and basic (RFC
 * 7617) credentials, AWS access keys, private keys in PEM (RFC 7468).
 *
 * "Bearer" and "basic" are words too ("basic validation failed"), so what follows must look like a
 * credential, or stand where only one can: behind `Authorization:`, or as a value that is nothing else.
 */
#include "redact_int.h"

bool has_word_at(sl_span text, size_t at, const char *word)
{
    size_t len = strlen(word);

    if (at > text.len || text.len - at < len) return false;
    for (size_t i = 0; i < len; i++) {
        char c = text.ptr[at + i];
        if ((is_letter(c) ? c | 0x20 : c) != word[i]) return false;
    }
    return true;
}

/* ---- JWT --------------------------------------------------------------------------------------- */

static bool is_base64url(char c)
{
    return is_alnum(c) || c == '-' || c == '_';
}

static size_t skip_base64url(sl_span text, size_t at)
{
    while (at < text.len && is_base64url(text.ptr[at]))
        at++;
    return at;
}

/* `eyJ` is `{"` in base64url: a header. Behind it a payload that is an object too, or (encrypted tokens) four
 * more parts; the signature may be missing, as when a line is cut. */
bool detect_jwt(sl_span text, size_t at, size_t *start, size_t *end)
{
    if (at < 2 || text.ptr[at - 2] != 'e' || text.ptr[at - 1] != 'y') return false;
    *start = at - 2;
    if (is_in_word(text, *start)) return false;
    size_t header = skip_base64url(text, at);
    if (header - *start < 10 || char_at(text, header) != '.') return false;
    size_t part = header + 1;
    bool payload = char_at(text, part) == 'e' && char_at(text, part + 1) == 'y';
    unsigned parts = 1;
    *end = skip_base64url(text, part);
    for (; parts < 4 && *end - part + (parts > 1) > 0 && char_at(text, *end) == '.'; parts++) {
        part = *end + 1;
        *end = skip_base64url(text, part);
    }
    if (text.ptr[*end - 1] == '.') --*end; /* the full stop of a sentence, or an empty last part */
    return payload ? *end - header > 4 : parts >= 2 && *end - header > 20;
}

/* ---- bearer and basic -------------------------------------------------------------------------- */

/* Words that stand behind "bearer" or "basic" in prose and error messages. */
static bool is_stop_word(sl_span word)
{
    static const char *const words[] = {"token",  "tokens", "auth",      "authentication", "authorization",
                                        "scheme", "realm",  "null",      "undefined",      "none",
                                        "is",     "not",    "missing",   "invalid",        "expired",
                                        "realm=", "error",  "error=",    "required",       "credentials",
                                        "header", "was",    "challenge", "access",         "type"};

    for (size_t i = 0; i < SL_LEN(words); i++) {
        if (sl_span_is_nocase(word, sl_span_of(words[i]))) return true;
    }
    return false;
}

/* Past what stands between a scheme and its credential; `at` itself when there is nothing. */
static size_t skip_between(sl_span text, size_t at)
{
    size_t from = at;

    if (has_word_at(text, at, "%20")) return at + 3;
    while (at < text.len && at - from < 8 && strchr(" \t:=+\"'\\", text.ptr[at]) && text.ptr[at])
        at++;
    return at;
}

/* Whether `Authorization:` (however it is quoted) stands directly before `at`. */
static bool follows_authorization(sl_span text, size_t at)
{
    static const size_t word = sizeof "authorization" - 1;
    size_t from = at;

    while (at > 0 && from - at < 8 && text.ptr[at - 1] && strchr(" \t:=\"'\\", text.ptr[at - 1]))
        at--;
    return at < from && at >= word && has_word_at(text, at - word, "authorization");
}

typedef struct credential {
    size_t start, end;
    bool certain; /* nothing but a credential can stand here */
} credential;

static bool is_token(char c)
{
    return c && (is_alnum(c) || strchr("._~+/=|%-", c));
}

/* Whether what was found ends with the scheme again, `Bearer a|Bearer b`: that one has its own credential. */
static bool ends_with_scheme(sl_span text, const credential *found, sl_span scheme)
{
    if (found->end - found->start < scheme.len) return false;
    size_t at = found->end - scheme.len;
    return sl_span_is_nocase((sl_span){text.ptr + at, scheme.len}, scheme) &&
           !is_alnum(char_at(text, at - 1));
}

/* The credential behind the word of `len` bytes that ends at `at`. */
static bool find_credential(sl_span text, size_t at, size_t len, credential *found)
{
    size_t word = at + 1 - len;

    if (is_in_word(text, word)) return false;
    found->start = skip_between(text, at + 1);
    if (found->start == at + 1) return false;
    found->end = found->start;
    while (found->end < text.len && is_token(text.ptr[found->end]))
        found->end++;
    while (found->end > found->start && text.ptr[found->end - 1] == '.')
        found->end--;
    if (ends_with_scheme(text, found, (sl_span){text.ptr + word, len})) found->end -= len;
    if (found->end == found->start) return false;
    if (is_stop_word((sl_span){text.ptr + found->start, found->end - found->start})) return false;
    found->certain = (word == 0 && found->end == text.len) || follows_authorization(text, word);
    return true;
}

/* Whether it has what words have not: a digit, a capital behind a small letter, a sign of base64; or is very
 * long. */
static bool looks_random(sl_span token)
{
    if (token.len >= 24) return true;
    for (size_t i = 0; i < token.len; i++) {
        char c = token.ptr[i];
        if (is_digit(c) || strchr("~+/=|%", c)) return true;
        if (i > 0 && c >= 'A' && c <= 'Z' && token.ptr[i - 1] >= 'a' && token.ptr[i - 1] <= 'z') return true;
    }
    return false;
}

bool detect_bearer(sl_span text, size_t at, size_t *start, size_t *end)
{
    credential found;

    if (at < 5 || !has_word_at(text, at - 5, "bearer")) return false;
    if (!find_credential(text, at, 6, &found)) return false;
    *start = found.start;
    *end = found.end;
    return found.certain || (*end - *start >= 4 && looks_random((sl_span){text.ptr + *start, *end - *start}));
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (is_digit(c)) return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* A word of prose ("basic understanding", "Basic Plan"): letters alone, capitals in front alone. Base64 of
 * eight characters or more is hardly ever one. */
static bool is_word(sl_span token)
{
    for (size_t i = 0; i < token.len; i++) {
        bool small = token.ptr[i] >= 'a' && token.ptr[i] <= 'z';
        if (!small && !(i == 0 && is_letter(token.ptr[i]))) return false;
    }
    return true;
}

/* Whether base64 decodes to readable text with a colon, as user:password does. */
static bool decodes_to_pair(sl_span token)
{
    uint32_t bits = 0;
    unsigned count = 0;
    bool colon = false;

    for (size_t i = 0; i < token.len && token.ptr[i] != '='; i++) {
        int value = base64_value(token.ptr[i]);
        if (value < 0) return false;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        unsigned char byte = (unsigned char)(bits >> count);
        if (byte < 0x20) return false;
        colon = colon || byte == ':';
    }
    return colon;
}

bool detect_basic(sl_span text, size_t at, size_t *start, size_t *end)
{
    credential found;

    if (at < 4 || !has_word_at(text, at - 4, "basic")) return false;
    if (!find_credential(text, at, 5, &found)) return false;
    *start = found.start;
    *end = found.end;
    sl_span token = {text.ptr + *start, *end - *start};
    if (is_word(token) && !follows_authorization(text, at - 4)) return false;
    return decodes_to_pair(token) || (found.certain && token.len >= 4);
}

/* ---- AWS --------------------------------------------------------------------------------------- */

#define AWS_ID     20
#define AWS_SECRET 40

static bool is_aws_secret(char c)
{
    return is_alnum(c) || c == '/' || c == '+';
}

/* Whether exactly 40 of the secret's characters stand at `at`, among them digits and both cases. */
static bool has_aws_secret(sl_span text, size_t at)
{
    bool digit = false, upper = false, lower = false;
    size_t len = 0;

    for (; len <= AWS_SECRET && is_aws_secret(char_at(text, at + len)); len++) {
        char c = text.ptr[at + len];
        digit = digit || is_digit(c);
        upper = upper || (c >= 'A' && c <= 'Z');
        lower = lower || (c >= 'a' && c <= 'z');
    }
    return len == AWS_SECRET && char_at(text, at + len) != '=' && digit + upper + lower >= 2;
}

/* The id of an access key: AKIA (long-term), ASIA (temporary), ABIA (service bearer token), then 16
 * characters. `at` is the last letter of the four. When the secret follows directly, it belongs to the hit.
 */
static bool find_aws_id(sl_span text, size_t at, size_t *start, size_t *end)
{
    if (at < 3 || text.ptr[at - 3] != 'A' || text.ptr[at - 1] != 'I') return false;
    if (!text.ptr[at - 2] || !strchr("KSB", text.ptr[at - 2])) return false;
    *start = at - 3;
    *end = *start + AWS_ID;
    if (*end > text.len || is_in_word(text, *start) || is_alnum(char_at(text, *end))) return false;
    for (size_t i = at + 1; i < *end; i++) {
        if (!is_digit(text.ptr[i]) && !(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')) return false;
    }
    size_t next = *end;
    while (next < text.len && next - *end < 4 && strchr(" \t:;,/|\"'", text.ptr[next]) && text.ptr[next])
        next++;
    if (next > *end && has_aws_secret(text, next)) *end = next + AWS_SECRET;
    return true;
}

/* A secret key behind its name: `secret access key`, in any of its spellings. `at` is the second c of
 * "access". */
static bool find_aws_secret(sl_span text, size_t at, size_t *start, size_t *end)
{
    if (at < 2) return false;
    size_t access = at - 2, next = access + 6;
    size_t secret = access > 0 && strchr("_- .", text.ptr[access - 1]) ? access - 1 : access;

    if (!has_word_at(text, access, "access") || secret < 6 || !has_word_at(text, secret - 6, "secret"))
        return false;
    if (char_at(text, next) && strchr("_- .", text.ptr[next])) next++;
    if (!has_word_at(text, next, "key")) return false;
    size_t value = next + 3;
    while (value < text.len && value - next < 20 && strchr(" \t\"'\\:=>[", text.ptr[value]) &&
           text.ptr[value])
        value++;
    *start = value;
    *end = value + AWS_SECRET;
    return value > next + 3 && has_aws_secret(text, value);
}

bool detect_aws_key(sl_span text, size_t at, size_t *start, size_t *end)
{
    if (at < 2) return false;
    return text.ptr[at] == 'A' ? find_aws_id(text, at, start, end) : find_aws_secret(text, at, start, end);
}

bool detect_aws_secret_value(sl_span key, sl_span value)
{
    static const char *const names[] = {"secretaccesskey", "awssecretaccesskey", "awssecretkey", "secretkey"};

    if (value.len != AWS_SECRET || !has_aws_secret(value, 0)) return false;
    for (size_t i = 0; i < SL_LEN(names); i++) {
        if (redact_names_equal(key, sl_span_of(names[i]))) return true;
    }
    return false;
}

/* ---- private keys ------------------------------------------------------------------------------ */

/* From the dashes before BEGIN to those behind END, or to the end of the text. Line breaks and blanks may be
 * of any kind, also spelled `\n`, `+`, `%20`. `at` is the fifth dash or a later one. */
bool detect_private_key(sl_span text, size_t at, size_t *start, size_t *end)
{
    if (at < 4 || !has_word_at(text, at - 4, "-----begin")) return false;
    *start = at - 4;
    size_t label = at + 6, label_end = label;
    if (!strchr(" +%", char_at(text, label)) || !char_at(text, label)) return false;
    while (label_end < text.len && label_end - label < 64 && text.ptr[label_end] != '-')
        label_end++;
    sl_span name = {text.ptr + label, label_end - label};
    if (sl_span_find(name, SL_SPAN("KEY"), sl_span_find(name, SL_SPAN("PRIVATE"), 0)) == name.len)
        return false;
    size_t close = sl_span_find(text, SL_SPAN("-----END"), label_end);
    size_t dashes = sl_span_find(text, SL_SPAN("-----"), close < text.len ? close + 8 : text.len);
    *end = dashes < text.len ? dashes + 5 : text.len;
    return true;
}
