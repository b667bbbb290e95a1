/* transport_error.c: curl's codes as a table: kind of error, and the option to look at.
 *
 * Some codes stand for several causes. Which it is shows in OpenSSL's verdict on the certificate
 * (X509_V_ERR_*, by CURLINFO_SSL_VERIFYRESULT) or in curl's words.
 */
#include "transport_error.h"
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

static const struct {
    CURLcode code;
    sl_transport_error error;
    const char *advice;
} codes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, SL_TRANSPORT_RESOLVE, ""},
    {CURLE_COULDNT_RESOLVE_PROXY, SL_TRANSPORT_RESOLVE, ": check `proxy`"},
    {CURLE_COULDNT_CONNECT, SL_TRANSPORT_CONNECT, ""},
    {CURLE_PROXY, SL_TRANSPORT_CONNECT, ": check `proxy`"},
    {CURLE_SSL_CONNECT_ERROR, SL_TRANSPORT_TLS, ""},
    {CURLE_SSL_CERTPROBLEM, SL_TRANSPORT_TLS, ": check `tls.cert`, `tls.key` and `tls.key_password`"},
    {CURLE_SSL_CIPHER, SL_TRANSPORT_TLS, ""},
    {CURLE_PEER_FAILED_VERIFICATION, SL_TRANSPORT_TLS, ""},
    {CURLE_SSL_CACERT_BADFILE, SL_TRANSPORT_TLS, ": check `tls.ca`"},
    {CURLE_SSL_ISSUER_ERROR, SL_TRANSPORT_TLS, ": check `tls.ca`"},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, SL_TRANSPORT_TLS,
     ": if the server has a new key, mend `tls.pinned_key`"},
    {CURLE_SSL_ENGINE_NOTFOUND, SL_TRANSPORT_TLS, ""},
    {CURLE_UNSUPPORTED_PROTOCOL, SL_TRANSPORT_BROKEN, ": no HTTP; if it is TLS, write https:// in `url`"},
};

static bool was_connected(CURL *easy)
{
    curl_off_t pretransfer = 0;
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
    return pretransfer > 0;
}

sl_transport_error sl_transport_error_of(CURL *easy, CURLcode result)
{
    if (result == CURLE_OK) return SL_TRANSPORT_OK;
    if (result == CURLE_OPERATION_TIMEDOUT)
        return was_connected(easy) ? SL_TRANSPORT_TIMEOUT : SL_TRANSPORT_CONNECT;
    for (size_t i = 0; i < SL_LEN(codes); i++) {
        if (codes[i].code == result) return codes[i].error;
    }
    return SL_TRANSPORT_BROKEN;
}

/* ---- for a person ---- */

#define NAMES_ADVICE       ": mend the host in `url`, or give a name of the certificate in `tls.server_name`"
#define CLIENT_CERT_ADVICE ": the server may want a client certificate that it trusts, see `tls.cert`"

static const char *certificate_advice(CURL *easy)
{
    long verdict = X509_V_OK;
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
    switch (verdict) {
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED: return NAMES_ADVICE; /* trusted, but of another host */
    case X509_V_ERR_CERT_HAS_EXPIRED: return ": the server needs a new one; check the clock here, too";
    case X509_V_ERR_CERT_NOT_YET_VALID: return ": check the clock, here and there";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return ": nobody trusted has signed it; give the authority's certificate in `tls.ca`";
    default: return ": check `tls.ca`";
    }
}

/* With TLS 1.3 the client is through with the handshake before the server looks at its certificate: a refusal
 * meets the first request of a new connection. */
static bool ended_after_handshake(CURL *easy)
{
    curl_off_t handshake = 0;
    long opened = 0, status = 0;
    curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &handshake);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &opened);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return handshake > 0 && opened > 0 && status == 0;
}

static const char *advice(CURL *easy, CURLcode result, const char *said)
{
    if (result == CURLE_PEER_FAILED_VERIFICATION) return certificate_advice(easy);
    bool is_alert = strstr(said, "alert ");
    if (is_alert && strstr(said, "certificate")) return CLIENT_CERT_ADVICE;
    if (result == CURLE_SSL_CONNECT_ERROR && !is_alert) return ": does it speak TLS? check `url`";
    bool cut = result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR || result == CURLE_GOT_NOTHING;
    if (cut && ended_after_handshake(easy)) return CLIENT_CERT_ADVICE;
    for (size_t i = 0; i < SL_LEN(codes); i++) {
        if (codes[i].code == result) return codes[i].advice;
    }
    return "";
}

void sl_transport_error_text(CURL *easy, CURLcode result, const char *said, char out[SL_TRANSPORT_TEXT_MAX])
{
    if (!said[0]) said = curl_easy_strerror(result);
    snprintf(out, SL_TRANSPORT_TEXT_MAX, "%s%s", said, advice(easy, result, said));
}
