/* Frames: what goes in comes out, and no bytes of any kind do harm. */
#include "check_main.h"
#include "journal_kit.h"

static sl_frame_coder *coder;

static sl_frame encode(const sl_batch *batch, int level)
{
    sl_frame frame;
    sl_err err = SL_ERR_NONE;
    coder = sl_frame_coder_new(level);
    ck_assert_msg(sl_frame_encode(coder, batch, &frame, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(frame.records, batch->count);
    ck_assert_uint_eq(frame.raw_bytes, batch->bytes);
    return frame;
}

static void check_round_trip(sl_batch *batch, int level)
{
    sl_batch *back;
    sl_err err = SL_ERR_NONE;
    sl_frame frame = encode(batch, level);
    ck_assert_msg(sl_frame_decode(coder, sl_buf_span(&frame.bytes), &back, &err) == 0, "%s", err.text);
    ck_assert(back->sealed);
    ck_assert(kit_same(batch, back));
    ck_assert_uint_eq(back->sequence, 0);
    sl_batch_unref(back);
    sl_frame_release(&frame);
    sl_frame_coder_free(coder);
    sl_batch_unref(batch);
}

START_TEST(frame__comes_back_as_it_was)
{
    for (uint32_t records = 0; records < 40; records += 13)
        for (int level = 0; level < 3; level++)
            check_round_trip(kit_batch(7, records, 80), level);
    check_round_trip(kit_batch(0, 3000, 200), 1);
    check_round_trip(kit_batch(0, 2, 6 << 20), 1);
}
END_TEST

/* One object of 8 bytes each, with what the table finds hardest. */
START_TEST(frame__keeps_extreme_times_origins_flags_and_target)
{
    static const int64_t times[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT64_MIN};
    static const uint64_t origins[] = {UINT64_MAX, 0, UINT64_MAX / 2, 1, UINT64_MAX, 3};
    static const uint16_t flags[] = {0,      0,     SL_RECORD_TIME, SL_RECORD_OFFSET | SL_RECORD_TRUNCATED,
                                     0xfef6, 0xfef6};
    sl_batch *batch = sl_batch_new();
    batch->source = (sl_id){UINT64_MAX, 1};
    sl_batch_set_target(batch, SL_SPAN("search"));
    for (int i = 0; i < 6; i++)
        sl_batch_add(batch, SL_SPAN("{\"a\":1}"), flags[i], times[i], origins[i]);
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    check_round_trip(batch, 1);
}
END_TEST

/* Only such a frame is of version 2: others stay readable by agents that know version 1 alone. */
START_TEST(frame__keeps_ids_of_their_own)
{
    sl_batch *batch = sl_batch_new();
    for (uint64_t i = 0; i < 100; i++) {
        sl_record *rec = sl_batch_add(batch, SL_SPAN("{\"a\":1}"), SL_RECORD_TIME, 0, i);
        if (i % 5 != 2) ck_assert(sl_batch_set_id(batch, rec, (sl_id){UINT64_MAX - i, i}));
    }
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    for (int level = 0; level < 2; level++) {
        sl_frame frame = encode(batch, level);
        ck_assert_int_eq(frame.bytes.ptr[4], SL_FRAME_WITH_IDS);
        sl_frame_release(&frame);
        sl_frame_coder_free(coder);
    }
    check_round_trip(batch, 1);
    sl_frame plain = encode(batch = kit_batch(7, 3, 80), 1);
    ck_assert_int_eq(plain.bytes.ptr[4], SL_FORMAT_VERSION);
    sl_frame_release(&plain);
    sl_frame_coder_free(coder);
    sl_batch_unref(batch);
}
END_TEST

START_TEST(frame__header_tells_counts_and_times)
{
    sl_batch *batch = kit_batch(5, 10, 100);
    sl_frame frame = encode(batch, 1);
    sl_frame_header hdr;
    ck_assert(sl_frame_header__decode(frame.bytes.ptr, frame.bytes.len, 0, &hdr) ==
              false); /* no number yet */
    ck_assert(sl_frame_header__parse(frame.bytes.ptr, frame.bytes.len, &hdr));
    ck_assert(hdr.readable);
    ck_assert_uint_eq(hdr.records, 10);
    ck_assert_int_eq(hdr.codec, SL_CODEC_ZSTD);
    ck_assert_int_eq(hdr.first_time, batch->recs[0].time_ns);
    ck_assert_int_eq(hdr.last_time, batch->recs[9].time_ns);
    ck_assert_uint_eq(sl_frame_header__total(&hdr), frame.bytes.len);
    ck_assert_uint_eq(frame.bytes.cap, frame.bytes.len); /* it may be kept for a while */
    sl_frame_release(&frame);
    sl_frame_coder_free(coder);
    sl_batch_unref(batch);
}
END_TEST

START_TEST(frame__any_flipped_byte_of_the_payload_is_found)
{
    sl_batch *batch = kit_batch(5, 20, 60), *back;
    sl_frame frame = encode(batch, 1);
    for (size_t i = 0; i < frame.bytes.len; i++) {
        frame.bytes.ptr[i] ^= 0x11;
        back = NULL;
        int rc = sl_frame_decode(coder, sl_buf_span(&frame.bytes), &back, NULL);
        if (i >= SL_FRAME_HEADER) ck_assert_int_eq(rc, SL_E_CORRUPT);
        sl_batch_unref(back);
        frame.bytes.ptr[i] ^= 0x11;
    }
    sl_frame_release(&frame);
    sl_frame_coder_free(coder);
    sl_batch_unref(batch);
}
END_TEST

START_TEST(frame__no_length_but_the_right_one_decodes)
{
    sl_batch *batch = kit_batch(5, 20, 60), *back;
    sl_frame frame = encode(batch, 1);
    for (size_t len = 0; len < frame.bytes.len; len++) {
        /* at the very end of an allocation, so that a sanitizer sees the first byte too many */
        char *exact = sl_alloc(len ? len : 1);
        memcpy(exact, frame.bytes.ptr, len);
        ck_assert_int_eq(sl_frame_decode(coder, (sl_span){exact, len}, &back, NULL), SL_E_CORRUPT);
        sl_free(exact);
    }
    sl_frame_release(&frame);
    sl_frame_coder_free(coder);
    sl_batch_unref(batch);
}
END_TEST

/* A stored payload of these bytes under a header with every checksum right. */
static int decode_forged(const char *payload, size_t len, uint32_t records, uint32_t raw_len, int codec)
{
    sl_batch *back = NULL;
    sl_frame_coder *own = sl_frame_coder_new(1);
    char *bytes = sl_alloc(SL_FRAME_HEADER + len);
    memcpy(bytes + SL_FRAME_HEADER, payload, len);
    sl_frame_header hdr = {.codec = (uint8_t)codec,
                           .payload_len = (uint32_t)len,
                           .raw_len = raw_len,
                           .records = records,
                           .sequence = 1,
                           .payload_sum = sl_format__sum(payload, len, 0)};
    sl_frame_header__encode(&hdr, 0, bytes);
    int rc = sl_frame_decode(own, (sl_span){bytes, SL_FRAME_HEADER + len}, &back, NULL);
    sl_batch_unref(back);
    sl_free(bytes);
    sl_frame_coder_free(own);
    return rc;
}

#define SOURCE "0123456789abcdef"
#define FORGED(literal, records)                                                                             \
    decode_forged(literal, sizeof(literal) - 1, records, sizeof(literal) - 1, SL_CODEC_STORED)

START_TEST(frame__a_forged_payload_is_refused)
{
    /* source, no common, no target, length 2, one flag run, time 0, origin 0, text */
    ck_assert_int_eq(FORGED(SOURCE "\0\0\2\1\2\0\0{}\n", 1), 0);
    ck_assert_int_eq(FORGED(SOURCE "\0\0\2\1\2\0\0{} ", 1), SL_E_CORRUPT);      /* no newline */
    ck_assert_int_eq(FORGED(SOURCE "\0\0\2\1\2\0\0[]\n", 1), SL_E_CORRUPT);     /* no object */
    ck_assert_int_eq(FORGED(SOURCE "\0\0\1\1\2\0\0{\n", 1), SL_E_CORRUPT);      /* half of one */
    ck_assert_int_eq(FORGED(SOURCE "\0\0\2\1\2\0\0{}\n", 2), SL_E_CORRUPT);     /* fewer than it says */
    ck_assert_int_eq(FORGED(SOURCE "\0\0\2\1\2\0\0{}\n{}\n", 1), SL_E_CORRUPT); /* more than it says */
    ck_assert_int_eq(FORGED(SOURCE "\0\0\3\1\2\0\0{}\n", 1), SL_E_CORRUPT);     /* a text past the end */
    ck_assert_int_eq(FORGED(SOURCE "\0\0\2\0\2\0\0{}\n", 1), SL_E_CORRUPT);     /* an empty run */
    ck_assert_int_eq(FORGED(SOURCE "\0\0\2\2\2\0\0{}\n", 1), SL_E_CORRUPT);     /* a run too long */
    ck_assert_int_eq(FORGED(SOURCE "\0\0\2\1\xff\xff\x7f\0\0{}\n", 1), SL_E_CORRUPT); /* flags too large */
    ck_assert_int_eq(FORGED(SOURCE "\x7f\0\2\1\2\0\0{}\n", 1), SL_E_CORRUPT); /* common past the end */
    ck_assert_int_eq(FORGED(SOURCE "\1x\0\2\1\2\0\0{}\n", 1), SL_E_CORRUPT);  /* common that is no JSON */
    ck_assert_int_eq(FORGED(SOURCE "\0\x7f\2\1\2\0\0{}\n", 1), SL_E_CORRUPT); /* target past the end */
    ck_assert_int_eq(FORGED(SOURCE "\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1\2\0\0{}\n", 1),
                     SL_E_CORRUPT);
    ck_assert_int_eq(FORGED(SOURCE "\0\0\2\1\2\xff\xff\xff\xff\xff\xff\xff\xff\xff\2\0{}\n", 1),
                     SL_E_CORRUPT);
    ck_assert_int_eq(FORGED("short", 0), SL_E_CORRUPT);
    ck_assert_int_eq(FORGED("", 0), SL_E_CORRUPT);
}
END_TEST

START_TEST(frame__a_forged_header_asks_for_no_memory)
{
    static const char good[] = SOURCE "\0\0\2\1\2\0\0{}\n";
    size_t len = sizeof(good) - 1;
    ck_assert_int_eq(decode_forged(good, len, 1, SL_MAX_FRAME_RAW, SL_CODEC_ZSTD), SL_E_CORRUPT);
    ck_assert_int_eq(decode_forged(good, len, 1, SL_MAX_FRAME_RAW + 1, SL_CODEC_STORED), SL_E_VERSION);
    ck_assert_int_eq(decode_forged(good, len, SL_MAX_RECORDS + 1, (uint32_t)len, SL_CODEC_STORED),
                     SL_E_VERSION);
    ck_assert_int_eq(decode_forged(good, len, 1, (uint32_t)len + 1, SL_CODEC_STORED), SL_E_CORRUPT);
    ck_assert_int_eq(decode_forged(good, len, 1, (uint32_t)len, SL_CODEC_ZSTD), SL_E_CORRUPT);
    ck_assert_int_eq(decode_forged(good, len, 1, (uint32_t)len, 2), SL_E_VERSION);
}
END_TEST

START_TEST(frame__incompressible_text_is_stored)
{
    sl_batch *batch = sl_batch_new();
    char *text = sl_batch_try_alloc(batch, 4096);
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 4000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        text[i] = (char)(0x80 | random);
    }
    memcpy(text, "{\"", 2);
    memcpy(text + 3996, "\":1}", 4);
    sl_batch_add(batch, (sl_span){text, 4000}, 0, 1, 1);
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    sl_frame frame = encode(batch, 1);
    ck_assert_uint_lt(frame.bytes.len, 4200);
    sl_frame_release(&frame);
    sl_frame_coder_free(coder);
    check_round_trip(batch, 1);
}
END_TEST

SL_TEST_MAIN("frame", frame__comes_back_as_it_was, frame__keeps_extreme_times_origins_flags_and_target,
             frame__keeps_ids_of_their_own, frame__header_tells_counts_and_times,
             frame__any_flipped_byte_of_the_payload_is_found, frame__no_length_but_the_right_one_decodes,
             frame__a_forged_payload_is_refused, frame__a_forged_header_asks_for_no_memory,
             frame__incompressible_text_is_stored)
