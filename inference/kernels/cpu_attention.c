/* Paged decode attention, rotation, cache writes and norms for x86 CPUs. */
#include <immintrin.h>
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <string.h>

#include "cpu_math.h"

static inline void fetch(const void *from, int64_t bytes) {
    for (int64_t at = 0; at < bytes; at += 64) _mm_prefetch((const char *)from + at, _MM_HINT_T0);
}

/* The paged cache as one layer sees it, in float32 or float16; strides in numbers. */
typedef struct {
    const void *keys, *values;
    int64_t token_stride, head_stride, value_token_stride, value_head_stride;
    int64_t block_size, table_width, heads, kv_heads, width, value_width;
    const int32_t *tables;
    const int64_t *lengths;
    const float *sinks;
    int64_t window; /* 0: none */
    float scale;
    int32_t is_half;
} pages_t;

static inline __m256 load_half(const uint16_t *from) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
}

static void softmax(float *restrict scores, int64_t count, const float *sink) {
    float most = sink ? *sink : -INFINITY, total = 0.0f;
    for (int64_t t = 0; t < count; t++) most = scores[t] > most ? scores[t] : most;
    for (int64_t t = 0; t < count; t++) {
        scores[t] = fast_exp(scores[t] - most);
        total += scores[t];
    }
    float inverse = 1.0f / (total + (sink ? fast_exp(*sink - most) : 0.0f));
    for (int64_t t = 0; t < count; t++) scores[t] *= inverse;
}

static inline int64_t slot_of(const int32_t *table, int64_t size, int64_t position) {
    return (int64_t)table[position / size] * size + position % size;
}

/* Tokens that are fetched ahead: the processor does not guess what a block's table says. */
#define TOKENS_AHEAD 8

/* Heads first .. first + count of one sequence. Tokens are the outer loop, since the cache holds a
 * token's heads side by side: it is read once, in order. scores holds [count][seen]. Widths are
 * multiples of 8. */
#define DEFINE_ATTEND(NAME, NUMBER, LOAD)                                                  \
    static inline float dot_##NAME(const float *a, const NUMBER *b, int64_t width) {       \
        __m256 even = _mm256_setzero_ps(), odd = _mm256_setzero_ps();                      \
        int64_t d = 0;                                                                     \
        for (; d + 16 <= width; d += 16) {                                                 \
            even = _mm256_fmadd_ps(_mm256_loadu_ps(a + d), LOAD(b + d), even);             \
            odd = _mm256_fmadd_ps(_mm256_loadu_ps(a + d + 8), LOAD(b + d + 8), odd);       \
        }                                                                                  \
        if (d < width) even = _mm256_fmadd_ps(_mm256_loadu_ps(a + d), LOAD(b + d), even);  \
        even = _mm256_add_ps(even, odd);                                                   \
        __m128 sum = _mm_add_ps(_mm256_castps256_ps128(even), _mm256_extractf128_ps(even, 1)); \
        sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));                                    \
        return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));                       \
    }                                                                                      \
    static inline void add_##NAME(float *to, const NUMBER *from, float by, int64_t width) { \
        __m256 factor = _mm256_set1_ps(by);                                                \
        for (int64_t d = 0; d < width; d += 8)                                             \
            _mm256_storeu_ps(to + d, _mm256_fmadd_ps(factor, LOAD(from + d), _mm256_loadu_ps(to + d))); \
    }                                                                                      \
    static void attend_##NAME(const pages_t *p, const float *query, int64_t sequence,      \
                              int64_t first, int64_t count, float *scores, float *out) {   \
        const int64_t length = p->lengths[sequence], group = p->heads / p->kv_heads;       \
        const int64_t start = p->window && length > p->window ? length - p->window : 0;    \
        const int64_t seen = length - start, size = p->block_size, width = p->width;       \
        const int64_t value_width = p->value_width, key_head = p->head_stride;             \
        const int64_t value_head = p->value_head_stride;                                   \
        const int32_t *table = p->tables + sequence * p->table_width;                      \
        const float scale = p->scale;                                                      \
        const int64_t shared = (count + group - 1) / group, head = first / group; /* of keys */ \
        const NUMBER *from_keys = (const NUMBER *)p->keys + head * key_head;               \
        const NUMBER *from_values = (const NUMBER *)p->values + head * value_head;         \
        for (int64_t t = 0; t < seen; t++) {                                               \
            const NUMBER *keys = from_keys + slot_of(table, size, start + t) * p->token_stride; \
            if (t + TOKENS_AHEAD < seen)                                                   \
                fetch(from_keys + slot_of(table, size, start + t + TOKENS_AHEAD) * p->token_stride, \
                      shared * key_head * sizeof(NUMBER));                                 \
            for (int64_t h = 0; h < count; h++)                                            \
                scores[h * seen + t] = scale * dot_##NAME(query + h * width,               \
                                                          keys + h / group * key_head, width); \
        }                                                                                  \
        for (int64_t h = 0; h < count; h++)                                                \
            softmax(scores + h * seen, seen, p->sinks ? p->sinks + first + h : 0);         \
        memset(out, 0, count * value_width * sizeof(float));                               \
        for (int64_t t = 0; t < seen; t++) {                                               \
            const NUMBER *values = from_values + slot_of(table, size, start + t) * p->value_token_stride; \
            if (t + TOKENS_AHEAD < seen)                                                   \
                fetch(from_values + slot_of(table, size, start + t + TOKENS_AHEAD) * p->value_token_stride, \
                      shared * value_head * sizeof(NUMBER));                               \
            for (int64_t h = 0; h < count; h++)                                            \
                add_##NAME(out + h * value_width, values + h / group * value_head,         \
                           scores[h * seen + t], value_width);                             \
        }                                                                                  \
    }
DEFINE_ATTEND(whole, float, _mm256_loadu_ps)
DEFINE_ATTEND(half, uint16_t, load_half)

/* query [s][heads][width] -> out [s][heads][value_width]; scratch [threads][heads][longest]. */
void paged_attention(const pages_t *p, const float *query, int64_t sequences, int64_t longest,
                     float *out, float *scratch, int threads) {
    /* Few sequences: split their heads, but not the heads of a group. */
    int64_t units = p->kv_heads > 1 ? p->kv_heads : p->heads;
    int64_t parts = (threads + sequences - 1) / sequences;
    parts = parts > units ? units : parts;
    int64_t step = (units + parts - 1) / parts * (p->heads / units);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int64_t item = 0; item < sequences * parts; item++) {
        int64_t s = item / parts, first = item % parts * step, left = p->heads - first;
        if (left <= 0) continue;
        (p->is_half ? attend_half : attend_whole)(
            p, query + (s * p->heads + first) * p->width, s, first, left < step ? left : step,
            scratch + omp_get_thread_num() * p->heads * longest,
            out + (s * p->heads + first) * p->value_width);
    }
}

/* Rotate the first `turned` heads of x [t][heads][width] in place by cos, sin [t][width / 2]. */
void rotate_heads(float *x, int64_t t, int64_t heads, int64_t turned, int64_t width,
                  const float *cosine, const float *sine) {
    int64_t half = width / 2;
    for (int64_t r = 0; r < t; r++)
        for (int64_t h = 0; h < turned; h++) {
            float *a = x + (r * heads + h) * width, *b = a + half;
            const float *c = cosine + r * half, *s = sine + r * half;
            for (int64_t d = 0; d < half; d++) {
                float first = a[d], second = b[d];
                a[d] = first * c[d] - second * s[d];
                b[d] = second * c[d] + first * s[d];
            }
        }
}

/* Rows of `size` numbers, each `stride` apart in x, to their slots of a cache in float32 or, size
 * a multiple of 8, in float16. */
void cache_write(const float *x, int64_t t, int64_t stride, int64_t size, const int64_t *slots,
                 void *cache, int is_half) {
    for (int64_t r = 0; r < t; r++) {
        const float *from = x + r * stride;
        uint16_t *half = (uint16_t *)cache + slots[r] * size;
        if (!is_half) memcpy((float *)cache + slots[r] * size, from, size * sizeof(float));
        for (int64_t d = 0; is_half && d < size; d += 8)
            _mm_storeu_si128((__m128i *)(half + d), _mm256_cvtps_ph(_mm256_loadu_ps(from + d), 0));
    }
}

void rms_norm(const float *x, int64_t t, int64_t width, const float *weight, float eps, float *out) {
    for (int64_t r = 0; r < t; r++) {
        const float *row = x + r * width;
        float sum = 0.0f;
        for (int64_t d = 0; d < width; d++) sum += row[d] * row[d];
        float scale = 1.0f / sqrtf(sum / (float)width + eps);
        for (int64_t d = 0; d < width; d++) out[r * width + d] = row[d] * scale * weight[d];
    }
}
