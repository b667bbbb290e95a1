/* Records as three Node applications write them with winston: an appointment system that dates with
 * 'YYYY-MM-DD HH:mm:ss' and spells durations "12ms", a CRM integration with ISO dates and levels in capitals,
 * and a bond management system with ISO dates. The shares below make the average length about 561 bytes. */
#include "corpus_secret.h"

#define ACTIVE_USERS 100   /* at a time */
#define USERS_CHANGE 20000 /* records, until others are active */

typedef struct application {
    corpus_word service;
    corpus_word version;
    int iso_dates, capital_levels, duration_text, has_environment;
} application;

static const application applications[] = {
    {CORPUS_WORD("appointment-booking"), CORPUS_WORD("1.4.2"), .duration_text = 1, .has_environment = 1},
    {CORPUS_WORD("halopsa-integration"), CORPUS_WORD("2.0.11"), .iso_dates = 1, .capital_levels = 1},
    {CORPUS_WORD("bailbondpro"), CORPUS_WORD("3.7.0"), .iso_dates = 1, .has_environment = 1},
};

typedef enum { LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR } level;
static const corpus_word levels[2][3] = {
    {CORPUS_WORD("info"), CORPUS_WORD("warn"), CORPUS_WORD("error")},
    {CORPUS_WORD("INFO"), CORPUS_WORD("WARN"), CORPUS_WORD("ERROR")},
};

static const corpus_word first_names[] = {
    CORPUS_WORD("thandi"), CORPUS_WORD("peter"), CORPUS_WORD("maria"),  CORPUS_WORD("sipho"),
    CORPUS_WORD("anna"),   CORPUS_WORD("james"), CORPUS_WORD("lerato"), CORPUS_WORD("carlos"),
};
static const corpus_word last_names[] = {
    CORPUS_WORD("nkosi"), CORPUS_WORD("smith"), CORPUS_WORD("garcia"),  CORPUS_WORD("botha"),
    CORPUS_WORD("olsen"), CORPUS_WORD("brown"), CORPUS_WORD("dlamini"), CORPUS_WORD("ivanova"),
};
static const corpus_word shown_names[] = {
    CORPUS_WORD("Thandi Nkosi"), CORPUS_WORD("Peter Smith"),     CORPUS_WORD("Mar\u00eda Garc\u00eda"),
    CORPUS_WORD("Sipho Botha"),  CORPUS_WORD("Anna S\u00f8ren"), CORPUS_WORD("James \\\"Jim\\\" Brown"),
};
static const corpus_word agents[] = {
    CORPUS_WORD(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/122.0.0.0 Safari/537.36"),
    CORPUS_WORD("Mozilla/5.0 (iPhone; CPU iPhone OS 17_3 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"),
    CORPUS_WORD("Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0"),
    CORPUS_WORD("okhttp/4.12.0"),
};
static const corpus_word methods[] = {CORPUS_WORD("GET"), CORPUS_WORD("GET"), CORPUS_WORD("POST"),
                                      CORPUS_WORD("PUT"), CORPUS_WORD("DELETE")};
static const corpus_word paths[] = {
    CORPUS_WORD("/api/v1/appointments/"), CORPUS_WORD("/api/v1/calendar/slots/"),
    CORPUS_WORD("/api/leads/"),           CORPUS_WORD("/api/opportunities/"),
    CORPUS_WORD("/api/bonds/"),           CORPUS_WORD("/api/payments/"),
};

static const application *begin(corpus_pen *pen, level severity)
{
    const application *app = &applications[rng_below(pen, 3)];
    PEN_LIT(pen, "{\"timestamp\":\"");
    pen_second(pen, app->iso_dates ? 'T' : ' ');
    if (app->iso_dates) {
        PEN_LIT(pen, ".");
        pen_fraction(pen, 3);
        PEN_LIT(pen, "Z");
    }
    PEN_LIT(pen, "\",\"level\":\"");
    pen_word(pen, &levels[app->capital_levels][severity]);
    PEN_LIT(pen, "\",\"message\":\"");
    return app;
}

/* Closes the message and writes what every record carries. */
static void put_meta(corpus_pen *pen, const application *app)
{
    PEN_LIT(pen, "\",\"service\":\"");
    pen_word(pen, &app->service);
    if (app->has_environment) PEN_LIT(pen, "\",\"environment\":\"production");
    PEN_LIT(pen, "\",\"version\":\"");
    pen_word(pen, &app->version);
    PEN_LIT(pen, "\",");
    pen_number(pen, "");
    PEN_LIT(pen, "\"requestId\":\"");
    pen_uuid(pen);
    PEN_LIT(pen, "\"");
}

static void put_method_url(corpus_pen *pen)
{
    PEN_LIT(pen, ",\"method\":\"");
    CORPUS_PICK(pen, methods);
    PEN_LIT(pen, "\",\"url\":\"");
    if (rng_below(pen, 16) == 0) {
        PEN_LIT(pen, "/health");
    } else {
        CORPUS_PICK(pen, paths);
        pen_u64(pen, 10000 + rng_below(pen, 90000));
    }
    PEN_LIT(pen, "\"");
}

/* One of the users who are active at the time: who they are, and from where, goes together. */
static void put_who(corpus_pen *pen)
{
    uint32_t user = rng_below(pen, ACTIVE_USERS) + (uint32_t)(pen->n / USERS_CHANGE) * ACTIVE_USERS;
    PEN_LIT(pen, ",\"ip\":\"10.4.");
    pen_u64(pen, user / 256 % 256);
    PEN_LIT(pen, ".");
    pen_u64(pen, user % 256);
    PEN_LIT(pen, "\",\"userId\":\"u-");
    pen_u64(pen, 10000 + user % 90000);
    PEN_LIT(pen, "\",\"tenantId\":\"t-");
    pen_u64(pen, 1 + user % 40);
    PEN_LIT(pen, "\"");
}

static void put_agent(corpus_pen *pen)
{
    PEN_LIT(pen, "\"");
    CORPUS_PICK(pen, agents);
    PEN_LIT(pen, "\"");
}

/* An incoming request with its headers, secrets and all. */
static void request_with_headers(corpus_pen *pen)
{
    const application *app = begin(pen, LEVEL_INFO);
    PEN_LIT(pen, "Incoming request");
    put_meta(pen, app);
    put_method_url(pen);
    PEN_LIT(pen, ",\"headers\":{\"host\":\"api.example.com\",\"user-agent\":");
    put_agent(pen);
    PEN_LIT(pen, ",\"accept\":\"application/json\",\"authorization\":\"Bearer ");
    secret_jwt(pen);
    PEN_LIT(pen, "\",\"x-api-key\":\"");
    secret_base64url(pen, 40);
    PEN_LIT(pen, "\",\"cookie\":\"lang=en; session=");
    secret_base64url(pen, 32);
    PEN_LIT(pen, "\"}");
    put_who(pen);
    PEN_LIT(pen, "}");
}

static void put_login_body(corpus_pen *pen, const corpus_word *first, const corpus_word *last)
{
    PEN_LIT(pen, ",\"body\":{\"email\":\"");
    secret_email(pen, first, last);
    PEN_LIT(pen, "\",\"password\":\"");
    secret_hex(pen, 14);
    PEN_LIT(pen, "\",\"remember\":true,\"device\":{\"os\":\"ios\",\"push\":null,\"screen\":[390,844]}}");
}

static void put_booking_body(corpus_pen *pen, const corpus_word *first, const corpus_word *last)
{
    PEN_LIT(pen, ",\"body\":{\"customer\":{\"name\":\"");
    CORPUS_PICK(pen, shown_names);
    PEN_LIT(pen, "\",\"email\":\"");
    secret_email(pen, first, last);
    PEN_LIT(pen, "\"},\"appointment\":{\"slots\":[");
    pen_u64(pen, rng_below(pen, 48));
    PEN_LIT(pen, ",");
    pen_u64(pen, rng_below(pen, 48));
    PEN_LIT(
        pen,
        "],\"durationMinutes\":30,\"notes\":\"First visit, please call ahead\"},\"payment\":{\"card\":\"");
    secret_card(pen);
    PEN_LIT(pen, "\",\"amount\":");
    pen_u64(pen, 10 + rng_below(pen, 900));
    PEN_LIT(pen, ".50,\"currency\":\"ZAR\",\"token\":\"");
    secret_hex(pen, 20);
    PEN_LIT(pen, "\"}}");
}

/* A request with its body; one in four says in its message, too, whom it mailed. */
static void request_with_body(corpus_pen *pen)
{
    const corpus_word *first = &first_names[rng_below(pen, 8)];
    const corpus_word *last = &last_names[rng_below(pen, 8)];
    const application *app = begin(pen, LEVEL_INFO);
    if (rng_below(pen, 4) == 0) {
        PEN_LIT(pen, "Confirmation sent to ");
        secret_email(pen, first, last);
        PEN_LIT(pen, " after booking");
    } else {
        PEN_LIT(pen, "API Request Started");
    }
    put_meta(pen, app);
    put_method_url(pen);
    if (rng_below(pen, 3) == 0)
        put_login_body(pen, first, last);
    else
        put_booking_body(pen, first, last);
    put_who(pen);
    PEN_LIT(pen, "}");
}

static void request_completed(corpus_pen *pen)
{
    static const corpus_word statuses[] = {
        CORPUS_WORD("200"), CORPUS_WORD("200"), CORPUS_WORD("200"), CORPUS_WORD("201"),
        CORPUS_WORD("204"), CORPUS_WORD("304"), CORPUS_WORD("404"), CORPUS_WORD("500"),
    };
    uint32_t status = rng_below(pen, 8);
    const application *app = begin(pen, status == 7 ? LEVEL_ERROR : LEVEL_INFO);
    PEN_LIT(pen, "Request completed");
    put_meta(pen, app);
    put_method_url(pen);
    PEN_LIT(pen, ",\"statusCode\":");
    pen_word(pen, &statuses[status]);
    PEN_LIT(pen, ",\"duration\":");
    if (app->duration_text) PEN_LIT(pen, "\"");
    pen_u64(pen, 1 + rng_below(pen, 400));
    if (app->duration_text) PEN_LIT(pen, "ms\"");
    PEN_LIT(pen, ",\"contentLength\":");
    pen_u64(pen, rng_below(pen, 20000));
    PEN_LIT(pen, ",\"userAgent\":");
    put_agent(pen);
    put_who(pen);
    PEN_LIT(pen, "}");
}

static void business_event(corpus_pen *pen)
{
    static const corpus_word events[] = {CORPUS_WORD("booking.created"), CORPUS_WORD("lead.created"),
                                         CORPUS_WORD("opportunity.created"), CORPUS_WORD("bond_created"),
                                         CORPUS_WORD("payment_processed")};
    const application *app = begin(pen, LEVEL_INFO);
    PEN_LIT(pen, "Business event");
    put_meta(pen, app);
    PEN_LIT(pen, ",\"event\":\"");
    CORPUS_PICK(pen, events);
    PEN_LIT(pen, "\",\"category\":\"business\",\"data\":{\"id\":");
    pen_u64(pen, 100000 + rng_below(pen, 900000));
    PEN_LIT(pen, ",\"value\":");
    pen_u64(pen, 25 * (1 + rng_below(pen, 4000)));
    PEN_LIT(pen, ".00,\"probability\":0.");
    pen_padded(pen, rng_below(pen, 100), 2);
    PEN_LIT(pen, ",\"source\":{\"channel\":\"web\",\"campaign\":null,\"tags\":[\"autumn\",\"returning\"]},"
                 "\"expectedCloseDate\":\"2024-06-30\",\"confirmed\":true}");
    put_who(pen);
    PEN_LIT(pen, "}");
}

static void sync_completed(corpus_pen *pen)
{
    const application *app = begin(pen, LEVEL_INFO);
    PEN_LIT(pen, "Data Synchronization Completed");
    put_meta(pen, app);
    PEN_LIT(pen, ",\"event\":\"sync.completed\",\"source\":\"google-calendar\",\"stats\":{\"processed\":");
    uint32_t processed = rng_below(pen, 1000);
    pen_u64(pen, processed);
    PEN_LIT(pen, ",\"successful\":");
    pen_u64(pen, processed);
    PEN_LIT(pen, ",\"failed\":0,\"duration\":");
    pen_u64(pen, rng_below(pen, 9000));
    PEN_LIT(pen, ",\"cpu\":[0.25,0.5,1.0e-1],\"memory\":{\"rss\":104857600,\"heapUsed\":52428800}}}");
}

static void security_event(corpus_pen *pen)
{
    const application *app = begin(pen, LEVEL_WARN);
    PEN_LIT(pen, "Security event");
    put_meta(pen, app);
    PEN_LIT(pen, ",\"event\":\"security_event\",\"type\":\"login_failed\",\"severity\":\"high\",\"details\":{"
                 "\"attempts\":");
    pen_u64(pen, 3 + rng_below(pen, 9));
    PEN_LIT(pen, ",\"window\":\"15 minutes\",\"blocked\":false,\"userAgent\":");
    put_agent(pen);
    PEN_LIT(pen, "}");
    put_who(pen);
    PEN_LIT(pen, "}");
}

static void application_error(corpus_pen *pen)
{
    const application *app = begin(pen, LEVEL_ERROR);
    PEN_LIT(pen, "Application error");
    put_meta(pen, app);
    PEN_LIT(pen, ",\"category\":\"error\",\"error\":{\"name\":\"DatabaseError\",\"message\":\"connection to "
                 "\\\"bookings\\\" timed out after ");
    pen_u64(pen, 1000 + rng_below(pen, 9000));
    PEN_LIT(pen, " ms\",\"stack\":\"DatabaseError: timed out");
    static const corpus_word frames[] = {
        CORPUS_WORD("\\n    at Connection.query (/app/node_modules/pg/lib/client.js:526:17)"),
        CORPUS_WORD("\\n    at async BookingService.create (/app/services/booking.js:88:21)"),
        CORPUS_WORD("\\n    at async C:\\\\app\\\\routes\\\\appointments.js:41:5"),
        CORPUS_WORD("\\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"),
    };
    for (uint32_t i = 0, depth = 3 + rng_below(pen, 5); i < depth; i++)
        CORPUS_PICK(pen, frames);
    PEN_LIT(pen, "\"}");
    put_who(pen);
    PEN_LIT(pen, "}");
}

void corpus_winston(corpus_pen *pen)
{
    uint32_t share = rng_below(pen, 100);
    if (share < 25)
        request_with_headers(pen);
    else if (share < 45)
        request_with_body(pen);
    else if (share < 78)
        request_completed(pen);
    else if (share < 90)
        business_event(pen);
    else if (share < 95)
        sync_completed(pen);
    else if (share < 98)
        security_event(pen);
    else
        application_error(pen);
}
