/* int8 matrix products and routed experts for x86 CPUs.
 *
 * Weights are int8 per output channel in tiles of 16 channels by 4 inputs, [n/16][k/4][16][4]:
 * one 64-byte load feeds 16 channels, and a row's 4 inputs are broadcast against it. Activations
 * are quantised here to [-127, 127], per row and 128 inputs, so that one large input costs its
 * neighbours alone their precision. AVX-512 VNNI multiplies unsigned by signed bytes, so inputs
 * are stored with 128 added and 128 times the weights' sum is taken off again. AVX2's product of
 * bytes would saturate so: there an input's size is multiplied, for a negative one by the inverted
 * bits of the weight, -w - 1, and the sums begin with what these ones come to; two products of at
 * most 127 by 128 fit 16 bits. Both give the same integers, so a row's result depends neither on
 * the processor nor on the rows beside it.
 */
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "cpu_math.h"

#define TILE 16
#define GROUP 128
/* Memory needs some 100 ns, in which a core reads this much: so far ahead weights are fetched, and
 * behind a tile's end those that come next. */
#define AHEAD 4096
#define FETCH(FROM, I) _mm_prefetch((const char *)(FROM) + (I) * 64, _MM_HINT_NTA)
#define AHEAD_OF(W, NEXT) ((i + AHEAD / 64 < k4 ? (W) : (NEXT) - k4 * 64) + AHEAD)

#if defined(__AVX512F__) && defined(__AVX512VNNI__)
#define OFFSET 128
#define ROWS 8
#define WORD 4 /* bytes that four inputs take */
#else
#define OFFSET 0
/* Measured: two of six rows' sums go through memory, and that costs less than a second pass. */
#define ROWS 6
#define WORD 8 /* four sizes, then four masks: all ones where the input is negative */
#endif

/* What one step of a group's inputs is worth, and what the sums of its products begin with. */
typedef struct {
    float step;
    int32_t start;
} group_t;

typedef struct {
    const uint8_t *inputs;
    const group_t *groups;
} row_t;

static inline int32_t word(const uint8_t *inputs) {
    int32_t value;
    memcpy(&value, inputs, 4);
    return value;
}

#if OFFSET
/* sums hold -128 times the weights' sums by group and channel: the accumulators start there. */
#define BODY(R)                                                                            \
    for (int64_t g = 0, i = 0; i < k4; g++) {                                              \
        int64_t end = i + GROUP / 4 < k4 ? i + GROUP / 4 : k4;                             \
        __m512i acc0[R], acc1[R];                                                          \
        for (int r = 0; r < R; r++) acc0[r] = _mm512_loadu_si512(s0 + g * TILE);           \
        for (int r = 0; r < R; r++) acc1[r] = _mm512_loadu_si512(s1 + g * TILE);           \
        const int8_t *from0 = AHEAD_OF(w0, next), *from1 = AHEAD_OF(w1, next + (w1 - w0)); \
        for (; i < end; i++) {                                                             \
            FETCH(from0, i);                                                               \
            FETCH(from1, i);                                                               \
            __m512i a = _mm512_loadu_si512(w0 + i * 64);                                   \
            __m512i b = _mm512_loadu_si512(w1 + i * 64);                                   \
            for (int r = 0; r < R; r++) {                                                  \
                __m512i x = _mm512_set1_epi32(word(rows[r].inputs + WORD * i));            \
                acc0[r] = _mm512_dpbusd_epi32(acc0[r], x, a);                              \
                acc1[r] = _mm512_dpbusd_epi32(acc1[r], x, b);                              \
            }                                                                              \
        }                                                                                  \
        for (int r = 0; r < R; r++) {                                                      \
            add_stepped(out + r * 2 * TILE, acc0[r], rows[r].groups[g].step);              \
            add_stepped(out + r * 2 * TILE + TILE, acc1[r], rows[r].groups[g].step);       \
        }                                                                                  \
    }
static inline int32_t inputs_store(const int8_t *numbers, int64_t sixteens, uint8_t *out) {
    for (int64_t i = 0; i < 16 * sixteens; i++) out[i] = (uint8_t)(numbers[i] + OFFSET);
    return 0;
}
static inline void add_stepped(float *to, __m512i dots, float step) {
    __m512 floats = _mm512_cvtepi32_ps(dots);
    _mm512_storeu_ps(to, _mm512_fmadd_ps(floats, _mm512_set1_ps(step), _mm512_loadu_ps(to)));
}
#else
/* The empty assembly keeps rows apart: mixed by the compiler they need more registers than exist. */
#define HALF(R, W, NEXT, AT)                                                               \
    for (int64_t g = 0, i = 0; i < k4; g++) {                                              \
        int64_t end = i + GROUP / 4 < k4 ? i + GROUP / 4 : k4;                             \
        __m256i low[R], high[R];                                                           \
        for (int r = 0; r < R; r++)                                                        \
            low[r] = high[r] = _mm256_set1_epi32(rows[r].groups[g].start);                 \
        const int8_t *from = AHEAD_OF(W, NEXT);                                            \
        for (; i < end; i++) {                                                             \
            FETCH(from, i);                                                                \
            __m256i a = _mm256_loadu_si256((const __m256i *)(W + i * 64));                 \
            __m256i b = _mm256_loadu_si256((const __m256i *)(W + i * 64 + 32));            \
            for (int r = 0; r < R; r++) {                                                  \
                __m256i size = _mm256_set1_epi32(word(rows[r].inputs + WORD * i));         \
                __m256i mask = _mm256_set1_epi32(word(rows[r].inputs + WORD * i + 4));     \
                low[r] = _mm256_add_epi32(low[r], dot4(size, mask, a));                    \
                high[r] = _mm256_add_epi32(high[r], dot4(size, mask, b));                  \
                __asm__ volatile("" : "+x"(low[r]), "+x"(high[r]));                        \
            }                                                                              \
        }                                                                                  \
        for (int r = 0; r < R; r++) {                                                      \
            add_stepped(out + r * 2 * TILE + AT, low[r], rows[r].groups[g].step);          \
            add_stepped(out + r * 2 * TILE + AT + 8, high[r], rows[r].groups[g].step);     \
        }                                                                                  \
    }
#define BODY(R)                                                                            \
    (void)s0, (void)s1;                                                                    \
    HALF(R, w0, w1, 0)                                                                     \
    HALF(R, w1, next, TILE)
/* Sizes and masks side by side; answers what the sums begin with: one for each step below zero. */
static inline int32_t inputs_store(const int8_t *numbers, int64_t sixteens, uint8_t *out) {
    int32_t start = 0;
    for (int64_t i = 0; i < 16 * sixteens; i++) start += numbers[i] < 0 ? -numbers[i] : 0;
    for (int64_t i = 0; i < sixteens; i++) {
        __m128i x = _mm_loadu_si128((const __m128i *)numbers + i), size = _mm_abs_epi8(x);
        __m128i mask = _mm_cmpgt_epi8(_mm_setzero_si128(), x);
        _mm_storeu_si128((__m128i *)out + 2 * i, _mm_unpacklo_epi32(size, mask));
        _mm_storeu_si128((__m128i *)out + 2 * i + 1, _mm_unpackhi_epi32(size, mask));
    }
    return start;
}
static inline __m256i dot4(__m256i size, __m256i mask, __m256i w) {
    __m256i pairs = _mm256_maddubs_epi16(size, _mm256_xor_si256(w, mask));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}
static inline void add_stepped(float *to, __m256i dots, float step) {
    __m256 floats = _mm256_cvtepi32_ps(dots);
    _mm256_storeu_ps(to, _mm256_fmadd_ps(floats, _mm256_set1_ps(step), _mm256_loadu_ps(to)));
}
#endif

/* R rows times two tiles of 16 channels, but for the channels' scales, added to out [R][32].
 * R is a constant so that the rows stay in registers; `next` are the weights needed after these. */
#define DEFINE_DOT(R)                                                                      \
    static void dot_##R(const row_t *rows, const int8_t *w0, const int8_t *w1,             \
                        const int8_t *next, const int32_t *s0, const int32_t *s1, int64_t k4, \
                        float *out) {                                                      \
        BODY(R)                                                                            \
    }
typedef void (*dot_fn)(const row_t *, const int8_t *, const int8_t *, const int8_t *,
                       const int32_t *, const int32_t *, int64_t, float *);
DEFINE_DOT(1) DEFINE_DOT(2) DEFINE_DOT(3) DEFINE_DOT(4)
DEFINE_DOT(5) DEFINE_DOT(6) DEFINE_DOT(7) DEFINE_DOT(8)
static const dot_fn DOTS[9] = {0, dot_1, dot_2, dot_3, dot_4, dot_5, dot_6, dot_7, dot_8};

static inline float largest(const float *x, int64_t count) {
    __m256 most = _mm256_setzero_ps(), sign = _mm256_set1_ps(-0.0f);
    int64_t i = 0;
    for (; i + 8 <= count; i += 8)
        most = _mm256_max_ps(most, _mm256_andnot_ps(sign, _mm256_loadu_ps(x + i)));
    float parts[8], found = 0.0f;
    _mm256_storeu_ps(parts, most);
    for (int n = 0; n < 8; n++) found = parts[n] > found ? parts[n] : found;
    for (; i < count; i++) found = fabsf(x[i]) > found ? fabsf(x[i]) : found;
    return found;
}

/* One row of k floats to small integers, group by group; out has row_bytes(k). */
static void quantise(const float *x, int64_t k, uint8_t *out, group_t *groups) {
    for (int64_t first = 0; first < k; first += GROUP, groups++) {
        int64_t count = k - first < GROUP ? k - first : GROUP;
        float most = largest(x + first, count), inverse = most > 0.0f ? 127.0f / most : 0.0f;
        int8_t numbers[GROUP] = {0};
        for (int64_t i = 0; i < count; i++)
            numbers[i] = (int8_t)(int32_t)rintf(x[first + i] * inverse);
        groups->step = most / 127.0f;
        groups->start = inputs_store(numbers, (count + 15) / 16, out + first / 4 * WORD);
    }
}

static inline int64_t groups_of(int64_t k) { return (k + GROUP - 1) / GROUP; }

static inline int64_t row_bytes(int64_t k) { return (k + 15) / 16 * 4 * WORD; }

/* x [m][k] -> out [m][n]; w, scale and sum are padded to full pairs of tiles. */
void i8_linear(const float *x, int64_t m, int64_t k, const int8_t *w, const float *scale,
               const int32_t *sum, const float *bias, float *out, int64_t n, uint8_t *scratch,
               int threads) {
    int64_t padded = (k + 3) / 4 * 4, pairs = (n + 2 * TILE - 1) / (2 * TILE);
    int64_t groups = groups_of(k), bytes = row_bytes(k);
    group_t *steps = (group_t *)scratch;
    uint8_t *inputs = (uint8_t *)(steps + m * groups);
#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static)
        for (int64_t r = 0; r < m; r++)
            quantise(x + r * k, k, inputs + r * bytes, steps + r * groups);
#pragma omp for schedule(dynamic, 2)
        for (int64_t p = 0; p < pairs; p++) {
            const int8_t *tile = w + p * 2 * TILE * padded;
            const int32_t *tile_sum = sum + p * 2 * TILE * groups;
            int64_t first = p * 2 * TILE, width = n - first < 2 * TILE ? n - first : 2 * TILE;
            for (int64_t r0 = 0; r0 < m; r0 += ROWS) {
                int count = (int)(m - r0 < ROWS ? m - r0 : ROWS);
                row_t rows[ROWS];
                float dots[ROWS * 2 * TILE] = {0};
                for (int r = 0; r < count; r++)
                    rows[r] = (row_t){inputs + (r0 + r) * bytes, steps + (r0 + r) * groups};
                DOTS[count](rows, tile, tile + TILE * padded, tile + 2 * TILE * padded, tile_sum,
                            tile_sum + TILE * groups, padded / 4, dots);
                for (int r = 0; r < count; r++) {
                    float *to = out + (r0 + r) * n + first;
                    const float *from = dots + r * 2 * TILE;
                    for (int64_t c = 0; c < width; c++)
                        to[c] = from[c] * scale[first + c] + (bias ? bias[first + c] : 0.0f);
                }
            }
        }
    }
}

/* Everything one layer's routed experts are, in the order a step reads it; inner is a multiple of
 * 16. gate_up: by expert, 16 gates before their 16 ups. down: by 32 outputs, expert after expert. */
typedef struct {
    int64_t experts, hidden, inner, top_k;
    const int8_t *gate_up, *down;
    const float *gate_up_scale, *down_scale, *gate_up_bias, *down_bias;
    const int32_t *gate_up_sum, *down_sum;
    float limit, alpha; /* limit 0: plain SiLU gating */
} experts_t;

/* Gated sums of one tile; the branches stand outside, so that the loops become vector code. */
static inline void gate_tile(float *restrict g, float *restrict u, float limit, float alpha,
                             float *restrict to) {
    if (limit != 0.0f)
        for (int c = 0; c < TILE; c++) {
            g[c] = g[c] > limit ? limit : g[c];
            u[c] = (u[c] > limit ? limit : (u[c] < -limit ? -limit : u[c])) + 1.0f;
        }
    for (int c = 0; c < TILE; c++) to[c] = g[c] / (1.0f + fast_exp(-g[c] * alpha)) * u[c];
}

static void gate_up_tile(const experts_t *e, int64_t expert, int64_t tile, const int32_t *pairs,
                         int64_t count, const uint8_t *inputs, const group_t *steps,
                         float *restrict inner) {
    int64_t padded = (e->hidden + 3) / 4 * 4, at = 2 * (expert * e->inner + tile * TILE);
    int64_t groups = groups_of(e->hidden);
    const int8_t *w = e->gate_up + at * padded;
    const int32_t *sum = e->gate_up_sum + at * groups;
    const float *scale = e->gate_up_scale + at, limit = e->limit, alpha = e->alpha;
    const float *bias = e->gate_up_bias ? e->gate_up_bias + at : 0;
    for (int64_t p0 = 0; p0 < count; p0 += ROWS) {
        int n = (int)(count - p0 < ROWS ? count - p0 : ROWS);
        row_t rows[ROWS];
        float dots[ROWS * 2 * TILE] = {0};
        for (int r = 0; r < n; r++) {
            int64_t token = pairs[p0 + r] / e->top_k;
            rows[r] = (row_t){inputs + token * row_bytes(e->hidden), steps + token * groups};
        }
        DOTS[n](rows, w, w + TILE * padded, w + 2 * TILE * padded, sum, sum + TILE * groups,
                padded / 4, dots);
        for (int r = 0; r < n; r++) {
            float *g = dots + 2 * r * TILE, *u = g + TILE;
            for (int c = 0; c < TILE; c++) g[c] *= scale[c];
            for (int c = 0; c < TILE; c++) u[c] *= scale[TILE + c];
            for (int c = 0; bias && c < TILE; c++) g[c] += bias[c], u[c] += bias[TILE + c];
            gate_tile(g, u, limit, alpha, inner + pairs[p0 + r] * e->inner + tile * TILE);
        }
    }
}

/* `after` is the expert that comes next. */
static void down_tiles(const experts_t *e, int64_t expert, int64_t after, int64_t first,
                       const int32_t *pairs, int64_t count, const uint8_t *inputs,
                       const group_t *steps, const float *weights, float *restrict out) {
    int64_t at = first * e->experts + expert * 2 * TILE, groups = groups_of(e->inner);
    int64_t width = e->hidden - first < 2 * TILE ? e->hidden - first : 2 * TILE;
    const int8_t *w = e->down + at * e->inner, *next = w + (after - expert) * 2 * TILE * e->inner;
    const int32_t *sum = e->down_sum + at * groups;
    const float *scale = e->down_scale + at, *bias = e->down_bias ? e->down_bias + at : 0;
    for (int64_t p0 = 0; p0 < count; p0 += ROWS) {
        int n = (int)(count - p0 < ROWS ? count - p0 : ROWS);
        row_t rows[ROWS];
        float dots[ROWS * 2 * TILE] = {0};
        for (int r = 0; r < n; r++)
            rows[r] = (row_t){inputs + pairs[p0 + r] * row_bytes(e->inner),
                              steps + pairs[p0 + r] * groups};
        DOTS[n](rows, w, w + TILE * e->inner, next, sum, sum + TILE * groups, e->inner / 4, dots);
        for (int r = 0; r < n; r++) {
            const float *from = dots + 2 * r * TILE, weight = weights[pairs[p0 + r]];
            float *to = out + pairs[p0 + r] / e->top_k * e->hidden + first;
            for (int64_t c = 0; c < width; c++)
                to[c] += weight * (from[c] * scale[c] + (bias ? bias[c] : 0.0f));
        }
    }
}

/* x [t][hidden], chosen and weights [t][top_k] -> out [t][hidden]. A thread owns whole output
 * columns and adds experts in order, so the sum does not depend on threads or on the batch. */
void i8_experts(const experts_t *e, const float *x, int64_t t, const int64_t *chosen,
                const float *weights, float *out, uint8_t *scratch, int threads) {
    int64_t pairs = t * e->top_k, bytes = row_bytes(e->hidden), inner_bytes = row_bytes(e->inner);
    float *inner = (float *)scratch;
    int64_t groups = groups_of(e->hidden), inner_groups = groups_of(e->inner);
    group_t *steps = (group_t *)(inner + pairs * e->inner), *inner_steps = steps + t * groups;
    int32_t *order = (int32_t *)(inner_steps + pairs * inner_groups), *starts = order + pairs;
    int32_t *active = starts + e->experts + 1;
    uint8_t *inputs = (uint8_t *)(active + e->experts), *inner_inputs = inputs + t * bytes;
    memset(starts, 0, (e->experts + 1) * sizeof(int32_t));
    for (int64_t p = 0; p < pairs; p++) starts[chosen[p] + 1]++;
    int64_t busy = 0;
    for (int64_t i = 0; i < e->experts; i++) {
        if (starts[i + 1]) active[busy++] = (int32_t)i;
        starts[i + 1] += starts[i];
    }
    for (int64_t p = 0; p < pairs; p++) order[starts[chosen[p]]++] = (int32_t)p;
    for (int64_t i = e->experts; i > 0; i--) starts[i] = starts[i - 1];
    starts[0] = 0;
    int64_t tiles = e->inner / TILE, columns = (e->hidden + 2 * TILE - 1) / (2 * TILE);
#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static)
        for (int64_t r = 0; r < t; r++) {
            quantise(x + r * e->hidden, e->hidden, inputs + r * bytes, steps + r * groups);
            memset(out + r * e->hidden, 0, e->hidden * sizeof(float));
        }
#pragma omp for schedule(dynamic, 8)
        for (int64_t item = 0; item < busy * tiles; item++) {
            int64_t expert = active[item / tiles];
            gate_up_tile(e, expert, item % tiles, order + starts[expert],
                         starts[expert + 1] - starts[expert], inputs, steps, inner);
        }
#pragma omp for schedule(static)
        for (int64_t p = 0; p < pairs; p++)
            quantise(inner + p * e->inner, e->inner, inner_inputs + p * inner_bytes,
                     inner_steps + p * inner_groups);
#pragma omp for schedule(dynamic, 1)
        for (int64_t column = 0; column < columns; column++)
            for (int64_t i = 0; i < busy; i++) {
                int64_t after = active[i + 1 < busy ? i + 1 : i];
                down_tiles(e, active[i], after, column * 2 * TILE, order + starts[active[i]],
                           starts[active[i] + 1] - starts[active[i]], inner_inputs, inner_steps,
                           weights, out);
            }
    }
}

/* Whether the build carries AVX-512 VNNI. */
int has_vnni(void) { return OFFSET != 0; }
