"""The elements by symbol."""

_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu "
    "Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr "
    "Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
SYMBOLS = tuple(_SYMBOLS.split())
NUMBER_OF = {symbol: number for number, symbol in enumerate(SYMBOLS, 1)}
_BY_TEXT = NUMBER_OF | {str(number): number for number in NUMBER_OF.values()}


def symbol_of(number: int) -> str:
    """The symbol of an atomic number, the number in words where it is no element.

    >>> symbol_of(29), symbol_of(0)
    ('Cu', 'element 0')
    """
    return SYMBOLS[number - 1] if 1 <= number <= len(SYMBOLS) else f"element {number}"


def number_of(text: str) -> int | None:
    """The atomic number of a symbol, in letters of any case, or of a number as text; None where it is no element.

    >>> number_of("cu"), number_of("29"), number_of("Xx")
    (29, 29, None)
    """
    return _BY_TEXT.get(text) or _BY_TEXT.get(text.capitalize())
