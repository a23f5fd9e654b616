/* int8 matrix products, routed experts, paged decode attention and norms for x86 CPUs.
 *
 * Weights are int8 per output channel in tiles of 16 channels by 4 inputs, [n/16][k/4][16][4]:
 * one 64-byte load feeds 16 channels, and a row's 4 inputs are broadcast against it. Activations
 * are quantised here, per row, to [-127, 127]. AVX-512 VNNI multiplies unsigned by signed bytes,
 * so inputs are stored with 128 added and 128 times the channel's weight sum is taken off again;
 * AVX2 moves the sign to the weights, which cannot saturate. Both give the same integers, so a
 * row's result depends neither on the processor nor on the rows beside it.
 */
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <omp.h>

#define TILE 16
#define ROWS 8
#define HEADS_AT_ONCE 8

#if defined(__AVX512F__) && defined(__AVX512VNNI__)
#define OFFSET 128
#define BODY(R)                                                                            \
    __m512i acc0[R], acc1[R];                                                              \
    for (int r = 0; r < R; r++) acc0[r] = acc1[r] = _mm512_setzero_si512();                \
    for (int64_t i = 0; i < k4; i++) {                                                     \
        __m512i a = _mm512_loadu_si512(w0 + i * 64), b = _mm512_loadu_si512(w1 + i * 64);  \
        for (int r = 0; r < R; r++) {                                                      \
            __m512i x = _mm512_set1_epi32(((const int32_t *)rows[r])[i]);                  \
            acc0[r] = _mm512_dpbusd_epi32(acc0[r], x, a);                                  \
            acc1[r] = _mm512_dpbusd_epi32(acc1[r], x, b);                                  \
        }                                                                                  \
    }                                                                                      \
    for (int r = 0; r < R; r++) {                                                          \
        _mm512_storeu_si512(out + r * 2 * TILE, acc0[r]);                                  \
        _mm512_storeu_si512(out + r * 2 * TILE + TILE, acc1[r]);                           \
    }
#else
#define OFFSET 0
static inline __m256i dot4(__m256i acc, __m256i x, __m256i magnitude, __m256i w) {
    __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(w, x));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
#define HALF(R, W, AT)                                                                     \
    {                                                                                      \
        __m256i low[R], high[R];                                                           \
        for (int r = 0; r < R; r++) low[r] = high[r] = _mm256_setzero_si256();             \
        for (int64_t i = 0; i < k4; i++) {                                                 \
            __m256i a = _mm256_loadu_si256((const __m256i *)(W + i * 64));                 \
            __m256i b = _mm256_loadu_si256((const __m256i *)(W + i * 64 + 32));            \
            for (int r = 0; r < R; r++) {                                                  \
                __m256i x = _mm256_set1_epi32(((const int32_t *)rows[r])[i]);              \
                __m256i m = _mm256_abs_epi8(x);                                            \
                low[r] = dot4(low[r], x, m, a);                                            \
                high[r] = dot4(high[r], x, m, b);                                          \
            }                                                                              \
        }                                                                                  \
        for (int r = 0; r < R; r++) {                                                      \
            _mm256_storeu_si256((__m256i *)(out + r * 2 * TILE + AT), low[r]);             \
            _mm256_storeu_si256((__m256i *)(out + r * 2 * TILE + AT + 8), high[r]);        \
        }                                                                                  \
    }
#define BODY(R) HALF(R, w0, 0) HALF(R, w1, TILE)
#endif

/* R rows against two tiles of 16 channels: out [R][32]. R is a constant so rows stay in registers. */
#define DEFINE_DOT(R)                                                                      \
    static void dot_##R(const uint8_t *const *rows, const int8_t *w0, const int8_t *w1,    \
                        int64_t k4, int32_t *out) { BODY(R) }
DEFINE_DOT(1) DEFINE_DOT(2) DEFINE_DOT(3) DEFINE_DOT(4)
DEFINE_DOT(5) DEFINE_DOT(6) DEFINE_DOT(7) DEFINE_DOT(8)

typedef void (*dot_fn)(const uint8_t *const *, const int8_t *, const int8_t *, int64_t, int32_t *);
static const dot_fn DOTS[ROWS + 1] = {0, dot_1, dot_2, dot_3, dot_4, dot_5, dot_6, dot_7, dot_8};

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

/* One row of k floats to bytes; returns what one step is worth. padded is a multiple of 4. */
static float quantise(const float *x, int64_t k, int64_t padded, uint8_t *out) {
    float most = 0.0f;
    for (int64_t i = 0; i < k; i++) { float a = fabsf(x[i]); most = a > most ? a : most; }
    float inverse = most > 0.0f ? 127.0f / most : 0.0f;
    for (int64_t i = 0; i < k; i++) out[i] = (uint8_t)((int32_t)rintf(x[i] * inverse) + OFFSET);
    memset(out + k, OFFSET, padded - k);
    return most / 127.0f;
}

static inline void scaled(const int32_t *dots, const float *scale, const int32_t *sum,
                          float step, float *out) {
    for (int c = 0; c < TILE; c++) out[c] = (float)(dots[c] - OFFSET * sum[c]) * (scale[c] * step);
}

/* x [m][k] -> out [m][n]; w, scale and sum are padded to full pairs of tiles. scratch: see Python. */
void i8_linear(const float *x, int64_t m, int64_t k, const int8_t *w, const float *scale,
               const int32_t *sum, const float *bias, float *out, int64_t n, uint8_t *scratch,
               int threads) {
    int64_t padded = (k + 3) / 4 * 4, k4 = padded / 4, pairs = (n + 2 * TILE - 1) / (2 * TILE);
    uint8_t *bytes = scratch;
    float *steps = (float *)(scratch + m * padded);
#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static)
        for (int64_t r = 0; r < m; r++) steps[r] = quantise(x + r * k, k, padded, bytes + r * padded);
#pragma omp for schedule(dynamic, 2)
        for (int64_t p = 0; p < pairs; p++) {
            const int8_t *tile = w + p * 2 * TILE * padded;
            int64_t first = p * 2 * TILE, width = n - first < 2 * TILE ? n - first : 2 * TILE;
            for (int64_t r0 = 0; r0 < m; r0 += ROWS) {
                int count = (int)(m - r0 < ROWS ? m - r0 : ROWS);
                const uint8_t *rows[ROWS];
                int32_t dots[ROWS * 2 * TILE];
                float result[2 * TILE];
                for (int r = 0; r < count; r++) rows[r] = bytes + (r0 + r) * padded;
                DOTS[count](rows, tile, tile + TILE * padded, k4, dots);
                for (int r = 0; r < count; r++) {
                    for (int h = 0; h < 2; h++)
                        scaled(dots + (2 * r + h) * TILE, scale + first + h * TILE,
                               sum + first + h * TILE, steps[r0 + r], result + h * TILE);
                    float *to = out + (r0 + r) * n + first;
                    for (int64_t c = 0; c < width; c++)
                        to[c] = result[c] + (bias ? bias[first + c] : 0.0f);
                }
            }
        }
    }
}

/* Everything one layer's routed experts are; strides follow from the sizes. inner is a multiple
 * of 16 and gate_up holds inner gate channels, then inner up channels, for each expert. */
typedef struct {
    int64_t experts, hidden, inner, top_k;
    const int8_t *gate_up, *down;
    const float *gate_up_scale, *down_scale, *gate_up_bias, *down_bias;
    const int32_t *gate_up_sum, *down_sum;
    float limit, alpha; /* limit 0: plain SiLU gating */
} experts_t;

static inline float gate(const experts_t *e, float g, float u) {
    if (e->limit == 0.0f) return g / (1.0f + fast_exp(-g)) * u;
    g = g > e->limit ? e->limit : g;
    u = u > e->limit ? e->limit : (u < -e->limit ? -e->limit : u);
    return (u + 1.0f) * g / (1.0f + fast_exp(-g * e->alpha));
}

static void gate_up_tile(const experts_t *e, int64_t expert, int64_t tile, const int32_t *pairs,
                         int64_t count, const uint8_t *bytes, const float *steps, float *inner) {
    int64_t padded = (e->hidden + 3) / 4 * 4, at = expert * 2 * e->inner + tile * TILE;
    const int8_t *w = e->gate_up + at * padded;
    for (int64_t p0 = 0; p0 < count; p0 += ROWS) {
        int n = (int)(count - p0 < ROWS ? count - p0 : ROWS);
        const uint8_t *rows[ROWS];
        int32_t dots[ROWS * 2 * TILE];
        for (int r = 0; r < n; r++) rows[r] = bytes + (pairs[p0 + r] / e->top_k) * padded;
        DOTS[n](rows, w, w + e->inner * padded, padded / 4, dots);
        for (int r = 0; r < n; r++) {
            float g[TILE], u[TILE], step = steps[pairs[p0 + r] / e->top_k];
            scaled(dots + 2 * r * TILE, e->gate_up_scale + at, e->gate_up_sum + at, step, g);
            scaled(dots + (2 * r + 1) * TILE, e->gate_up_scale + at + e->inner,
                   e->gate_up_sum + at + e->inner, step, u);
            if (e->gate_up_bias)
                for (int c = 0; c < TILE; c++) {
                    g[c] += e->gate_up_bias[at + c];
                    u[c] += e->gate_up_bias[at + e->inner + c];
                }
            float *to = inner + pairs[p0 + r] * e->inner + tile * TILE;
            for (int c = 0; c < TILE; c++) to[c] = gate(e, g[c], u[c]);
        }
    }
}

static void down_tiles(const experts_t *e, int64_t expert, int64_t first, const int32_t *pairs,
                       int64_t count, const uint8_t *bytes, const float *steps,
                       const float *weights, float *out) {
    int64_t channels = (e->hidden + 2 * TILE - 1) / (2 * TILE) * 2 * TILE;
    int64_t at = expert * channels + first;
    int64_t width = e->hidden - first < 2 * TILE ? e->hidden - first : 2 * TILE;
    const int8_t *w = e->down + at * e->inner;
    for (int64_t p0 = 0; p0 < count; p0 += ROWS) {
        int n = (int)(count - p0 < ROWS ? count - p0 : ROWS);
        const uint8_t *rows[ROWS];
        int32_t dots[ROWS * 2 * TILE];
        for (int r = 0; r < n; r++) rows[r] = bytes + (int64_t)pairs[p0 + r] * e->inner;
        DOTS[n](rows, w, w + TILE * e->inner, e->inner / 4, dots);
        for (int r = 0; r < n; r++) {
            float result[2 * TILE], weight = weights[pairs[p0 + r]], step = steps[pairs[p0 + r]];
            for (int h = 0; h < 2; h++)
                scaled(dots + (2 * r + h) * TILE, e->down_scale + at + h * TILE,
                       e->down_sum + at + h * TILE, step, result + h * TILE);
            float *to = out + pairs[p0 + r] / e->top_k * e->hidden + first;
            const float *bias = e->down_bias ? e->down_bias + at : 0;
            for (int64_t c = 0; c < width; c++)
                to[c] += weight * (result[c] + (bias ? bias[c] : 0.0f));
        }
    }
}

/* x [t][hidden], chosen and weights [t][top_k] -> out [t][hidden]. A thread owns whole output
 * columns and adds experts in order, so the sum does not depend on threads or on the batch. */
void i8_experts(const experts_t *e, const float *x, int64_t t, const int64_t *chosen,
                const float *weights, float *out, uint8_t *scratch, int threads) {
    int64_t pairs = t * e->top_k, padded = (e->hidden + 3) / 4 * 4;
    float *inner = (float *)scratch;
    float *steps = inner + pairs * e->inner, *inner_steps = steps + t;
    int32_t *order = (int32_t *)(inner_steps + pairs), *starts = order + pairs;
    int32_t *active = starts + e->experts + 1;
    uint8_t *bytes = (uint8_t *)(active + e->experts), *inner_bytes = bytes + t * padded;
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
            steps[r] = quantise(x + r * e->hidden, e->hidden, padded, bytes + r * padded);
            memset(out + r * e->hidden, 0, e->hidden * sizeof(float));
        }
#pragma omp for schedule(dynamic, 4)
        for (int64_t item = 0; item < busy * tiles; item++) {
            int64_t expert = active[item / tiles];
            gate_up_tile(e, expert, item % tiles, order + starts[expert],
                         starts[expert + 1] - starts[expert], bytes, steps, inner);
        }
#pragma omp for schedule(static)
        for (int64_t p = 0; p < pairs; p++)
            inner_steps[p] = quantise(inner + p * e->inner, e->inner, e->inner,
                                      inner_bytes + p * e->inner);
#pragma omp for schedule(dynamic, 1)
        for (int64_t column = 0; column < columns; column++)
            for (int64_t i = 0; i < busy; i++)
                down_tiles(e, active[i], column * 2 * TILE, order + starts[active[i]],
                           starts[active[i] + 1] - starts[active[i]], inner_bytes, inner_steps,
                           weights, out);
    }
}

/* The paged cache as one layer sees it; strides in floats. */
typedef struct {
    const float *keys, *values;
    int64_t token_stride, head_stride, value_token_stride, value_head_stride;
    int64_t block_size, table_width, heads, kv_heads, width, value_width;
    const int32_t *tables;
    const int64_t *lengths;
    const float *sinks;
    int64_t window; /* 0: none */
    float scale;
} pages_t;

static void attend(const pages_t *p, const float *query, int64_t sequence, int64_t head, int count,
                   float *scores, float *out) {
    int64_t length = p->lengths[sequence], kv = head / (p->heads / p->kv_heads);
    int64_t start = p->window && length > p->window ? length - p->window : 0, seen = length - start;
    const int32_t *table = p->tables + sequence * p->table_width;
    float most[HEADS_AT_ONCE], total[HEADS_AT_ONCE];
    for (int g = 0; g < count; g++) most[g] = p->sinks ? p->sinks[head + g] : -INFINITY;
    for (int64_t t = 0; t < seen; t++) {
        int64_t at = start + t, slot = (int64_t)table[at / p->block_size] * p->block_size
                                       + at % p->block_size;
        const float *key = p->keys + slot * p->token_stride + kv * p->head_stride;
        for (int g = 0; g < count; g++) {
            const float *q = query + g * p->width;
            float dot = 0.0f;
            for (int64_t d = 0; d < p->width; d++) dot += q[d] * key[d];
            dot *= p->scale;
            scores[g * seen + t] = dot;
            most[g] = dot > most[g] ? dot : most[g];
        }
    }
    for (int g = 0; g < count; g++) {
        float sum = p->sinks ? fast_exp(p->sinks[head + g] - most[g]) : 0.0f;
        for (int64_t t = 0; t < seen; t++) {
            scores[g * seen + t] = fast_exp(scores[g * seen + t] - most[g]);
            sum += scores[g * seen + t];
        }
        total[g] = sum;
    }
    memset(out, 0, count * p->value_width * sizeof(float));
    for (int64_t t = 0; t < seen; t++) {
        int64_t at = start + t, slot = (int64_t)table[at / p->block_size] * p->block_size
                                       + at % p->block_size;
        const float *value = p->values + slot * p->value_token_stride + kv * p->value_head_stride;
        for (int g = 0; g < count; g++) {
            float share = scores[g * seen + t] / total[g];
            for (int64_t d = 0; d < p->value_width; d++) out[g * p->value_width + d] += share * value[d];
        }
    }
}

/* query [s][heads][width] -> out [s][heads][value_width]; scratch [threads][8][longest]. */
void paged_attention(const pages_t *p, const float *query, int64_t sequences, int64_t longest,
                     float *out, float *scratch, int threads) {
    int64_t group = p->heads / p->kv_heads;
    int64_t step = group < HEADS_AT_ONCE ? group : HEADS_AT_ONCE;
    int64_t parts = (group + step - 1) / step, items = sequences * p->kv_heads * parts;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int64_t item = 0; item < items; item++) {
        int64_t part = item % parts, kv = item / parts % p->kv_heads, s = item / parts / p->kv_heads;
        int64_t head = kv * group + part * step, left = group - part * step;
        attend(p, query + (s * p->heads + head) * p->width, s, head, (int)(left < step ? left : step),
               scratch + omp_get_thread_num() * HEADS_AT_ONCE * longest,
               out + (s * p->heads + head) * p->value_width);
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
