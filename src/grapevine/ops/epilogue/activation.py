"""The activations and their derivatives on the lanes of a vector, as kernels need them.

gelu is z Phi(z) with the distribution function Phi of the normal law. Phi comes from its upper tail,

    1 - Phi(z) = exp(-z^2 / 2) t P(2 t - 1),    t = 1 / (1 + z / 4),    z >= 0

with P the polynomial that interpolates at Chebyshev points: relative error 4e-7 in float32, 1e-14 in float64.
(The form is that of W. Press et al., "Numerical Recipes", 3rd edition, 2007, section 6.2.2.)

shifted_softplus is log(1 + e^z) - log 2 = max(z, 0) + u L(2 u - 1) - log 2 with u = exp(-|z|), and L(2 u - 1) the
polynomial of the same kind for log(1 + u) / u: relative error 6e-9 in float32, 6e-17 in float64.
"""

import math

from grapevine.ops.epilogue.reference import LEAK
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.simd import exp, expm1, minimum, polynomial, spread, where

NONE, RELU, ELU, LEAKY_RELU, GELU, SILU, TANH, SHIFTED_SOFTPLUS = range(8)
KINDS = {
    "none": NONE, "relu": RELU, "elu": ELU, "leaky_relu": LEAKY_RELU, "gelu": GELU, "silu": SILU, "tanh": TANH,
    "shifted_softplus": SHIFTED_SOFTPLUS,
}  # fmt: skip

_SQRT_2_PI = math.sqrt(2 * math.pi)
_LOG_2 = math.log(2)


@kernel
def activate(kind, z):
    """The activation of that kind, lane by lane."""
    if kind == RELU:
        return where(z < 0.0, spread(0.0, z), z)
    if kind == LEAKY_RELU:
        return where(z < 0.0, z * LEAK, z)
    if kind == ELU:
        return where(z < 0.0, expm1(z), z)
    if kind == GELU:
        return z * _normal(z)[0]
    if kind == SILU:
        return z / (exp(0.0 - z) + 1.0)
    if kind == TANH:
        return _tanh(z)
    if kind == SHIFTED_SOFTPLUS:
        u = exp(where(z < 0.0, z, 0.0 - z))
        return where(z < 0.0, spread(0.0, z), z) + (u * _log_series(u * 2.0 - 1.0) - _LOG_2)
    return z


@kernel
def slope(kind, z):
    """Its derivative; for relu, z may as well be what relu and dropout made of it."""
    one = spread(1.0, z)
    if kind == RELU:
        return where(z <= 0.0, spread(0.0, z), one)
    if kind == LEAKY_RELU:
        return where(z > 0.0, one, spread(LEAK, z))
    if kind == ELU:
        return where(z > 0.0, one, exp(z))
    if kind == GELU:
        below, density = _normal(z)
        return below + z * density
    if kind == SILU:
        sigmoid = one / (exp(0.0 - z) + 1.0)
        return sigmoid * (z * (1.0 - sigmoid) + 1.0)
    if kind == TANH:
        y = _tanh(z)
        return 1.0 - y * y
    if kind == SHIFTED_SOFTPLUS:
        return one / (exp(0.0 - z) + 1.0)
    return one


@kernel
def slope_and_curvature(kind, z):
    """Its first and second derivative, of those that are curved; those of relu are 1 and 0."""
    one = spread(1.0, z)
    if kind == ELU:
        grown = exp(z)
        return where(z > 0.0, one, grown), where(z > 0.0, spread(0.0, z), grown)
    if kind == GELU:
        below, density = _normal(z)
        return below + z * density, (2.0 - z * z) * density
    if kind == SILU:
        sigmoid = one / (exp(0.0 - z) + 1.0)
        rest = sigmoid * (1.0 - sigmoid)
        return sigmoid + z * rest, rest * (z * (1.0 - sigmoid * 2.0) + 2.0)
    if kind == TANH:
        y = _tanh(z)
        rest = 1.0 - y * y
        return rest, y * rest * -2.0
    if kind == SHIFTED_SOFTPLUS:
        sigmoid = one / (exp(0.0 - z) + 1.0)
        return sigmoid, sigmoid * (1.0 - sigmoid)
    return one, spread(0.0, z)


@kernel
def _tanh(z):
    grown = expm1(minimum(z, spread(20.0, z)) * 2.0)  # beyond 20, tanh is 1 in either type
    return grown / (grown + 2.0)


@kernel
def _normal(z):
    """The distribution function and the density of the normal law."""
    size = where(z < 0.0, 0.0 - z, z)
    peak = exp(z * z * -0.5)
    t = spread(1.0, z) / (size * 0.25 + 1.0)
    tail = peak * t * _tail_series(t * 2.0 - 1.0)
    return where(z < 0.0, tail, 1.0 - tail), peak / _SQRT_2_PI


_tail_series = polynomial(
    single=(
        0.188821282, 0.151974149, 0.0967843899, 0.0466310461, 0.0150988284, 0.00188031388, -0.000869049115,
        -0.00039393802, 3.23350308e-5, 4.06540789e-5,
    ),
    double=(
        0.18882128260393787, 0.15197416049296701, 0.09678435018556342, 0.046630464490353964, 0.015099143722014923,
        0.0018850472322579049, -0.00086992307622755216, -0.00040770452231682144, 3.3335921983864092e-5,
        5.7773243611595599e-5, -4.7620355745122376e-7, -8.7846263652977984e-6, 1.7629840751358508e-7,
        1.4770767245398216e-6, -1.5140174321995061e-7, -2.5201459892088955e-7, 5.9909729599511328e-8,
        3.6795092385515432e-8, -1.4710413015100453e-8, -3.2179057628601947e-9, 1.8004835124415915e-9,
    ),
)  # fmt: skip

_log_series = polynomial(
    single=(
        0.81093022, -0.144263551, 0.0331522539, -0.00846102371, 0.00228970214, -0.000642599451, 0.000180901331,
        -5.30313824e-5, 2.05088698e-5, -6.20323636e-6,
    ),
    double=(
        0.81093021621632872, -0.14426354954966208, 0.033152438438559639, -0.0084610804138623895, 0.002288240907401973,
        -0.00064215037261647506, 0.0001849030055076297, -5.4260897086700754e-5, 1.615692496003417e-5,
        -4.8668823540562782e-6, 1.4799586140055616e-6, -4.5353085624088533e-7, 1.3969768704512937e-7,
        -4.333279580984245e-8, 1.3790475054316614e-8, -4.3184605757365424e-9, 1.116193642965159e-9,
        -3.5107233451793436e-10, 2.2424486169196705e-10, -7.1260663807401864e-11,
    ),
)  # fmt: skip
