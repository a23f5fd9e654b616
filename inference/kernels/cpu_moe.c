/* int8 matrix products, routed experts, paged decode attention and norms for x86 CPUs.
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
#include <omp.h>
#include <stdint.h>
#include <string.h>

#define TILE 16
#define GROUP 128
/* Memory needs some 100 ns, in which a core reads this much: so far ahead weights are fetched, and
 * behind a tile's end those that come next. */
#define AHEAD 4096
#define FETCH(FROM, I) _mm_prefetch((const char *)(FROM) + (I) * 64, _MM_HINT_NTA)
#define AHEAD_OF(W, NEXT) ((i + AHEAD / 64 < k4 ? (W) : (NEXT) - k4 * 64) + AHEAD)

static inline void fetch(const void *from, int64_t bytes) {
    for (int64_t at = 0; at < bytes; at += 64) _mm_prefetch((const char *)from + at, _MM_HINT_T0);
}

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

/* exp to about 2 ulp, in a form the compiler turns into vector code. */
static inline float fast_exp(float x) {
    x = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
    float n = rintf(x * 1.44269504f);
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    union { int32_t i; float f; } scale = {((int32_t)n + 127) << 23};
    return p * scale.f;
}

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

/* Whether the build carries AVX-512 VNNI. */
int has_vnni(void) { return OFFSET != 0; }
