"""The people of the demo firm and its clients. All invented; addresses and numbers reserved."""

from dataclasses import dataclass
from random import Random

from casewell.clients.models import ClientStatus
from casewell.kernel.access import Role


@dataclass(frozen=True)
class DemoStaff:
    name: str
    role: Role
    time_zone: str

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@harborlaw.example"


FIRM_NAME = "Harbor Law Group"
FIRM_ZONE = "America/Chicago"
STAFF = (
    DemoStaff("Joan Pierce", Role.OWNER, "America/New_York"),
    DemoStaff("Ruth Abara", Role.ATTORNEY, "America/Chicago"),
    DemoStaff("Dana Whitfield", Role.CASE_MANAGER, "America/Chicago"),
    DemoStaff("Marcus Hill", Role.CASE_MANAGER, "America/Denver"),
    DemoStaff("Elaine Brooks", Role.MANAGER, "America/Los_Angeles"),
)

# The first ones are those of the pictures in the documentation.
_NAMES = """Marisol Vega, Dwayne Okafor, Priya Raman, Tom Lindqvist, Keisha Barnes, Hector Ruiz,
Anh Nguyen, Grace Mbeki, Owen Callahan, Lena Fischer, Samir Haddad, Joyce Tanaka, Luis Ortega,
Noel Baptiste, Eleanor Fino, Curtis Doyle, Fatima Zahra, Ivan Petrov, Bianca Rossi, Calvin Moss,
Yolanda Price, Arjun Mehta, Teresa Quinn, Malik Johnson, Sofia Almeida, Grant Weller, Nadia Karim,
Peter Vance, Rosa Delgado, Kwame Asante, Helen Marsh, Diego Fuentes, Tamika Ross, Jonas Berg,
Chloe Martin, Victor Huang, Amara Obi, Walter Simms, Ingrid Olsen, Rafael Costa, Denise Tully,
Omar Siddiqui, Paula Reyes, Stephen Kwan, Latoya Greene, Mihai Popescu, Carmen Soto, Leon Baker,
Hana Suzuki, Felix Braun, Monique Leblanc, Andre Wallace, Sunita Rao, Jack Donnelly, Ewa Nowak,
Carlos Mendez, Abigail Stone, Trevor Nash, Mei Lin, Robert Falk"""
NAMES = tuple(name.strip() for name in _NAMES.replace("\n", " ").split(","))

_PLACES = (
    ("Chicago", "IL", "60614", "America/Chicago", "312"),
    ("Houston", "TX", "77004", "America/Chicago", "713"),
    ("Atlanta", "GA", "30307", "America/New_York", "404"),
    ("Denver", "CO", "80205", "America/Denver", "303"),
    ("Los Angeles", "CA", "90026", "America/Los_Angeles", "213"),
    ("Newark", "NJ", "07104", "America/New_York", "973"),
    ("Phoenix", "AZ", "85004", "America/Phoenix", "602"),
    ("Honolulu", "HI", "96813", "Pacific/Honolulu", "808"),
)
_STREETS = ("Oak St", "Maple Ave", "Lakeview Dr", "Division St", "Cedar Ln", "Park Blvd")
_STATUSES = (
    *(ClientStatus.ACTIVE,) * 8,
    *(ClientStatus.WAITING,) * 4,
    *(ClientStatus.ONBOARDING,) * 3,
    *(ClientStatus.LEAD,) * 3,
    *(ClientStatus.COMPLETED,) * 3,
    ClientStatus.CANCELLED,
)


@dataclass(frozen=True)
class DemoClient:
    first_name: str
    last_name: str
    reference: str
    email: str
    phone: str
    phone_as_typed: str
    street: str
    city: str
    state: str
    postal_code: str
    time_zone: str
    language: str
    status: ClientStatus
    main: int
    second: int | None
    ssn: str | None
    months_ago: int

    @property
    def is_closed(self) -> bool:
        return self.status in (ClientStatus.COMPLETED, ClientStatus.CANCELLED)


def demo_clients(random: Random, count: int) -> list[DemoClient]:
    """Return clients, the same for the same random source; names repeat with a number."""
    return [_client(random, number) for number in range(count)]


def _client(random: Random, number: int) -> DemoClient:
    first, _, last = NAMES[number % len(NAMES)].partition(" ")
    turn = number // len(NAMES)
    if turn:
        last = f"{last} {_roman(turn + 1)}"
    city, state, postal_code, zone, area = _PLACES[number % len(_PLACES)]
    # 555-01xx are the numbers reserved for fiction; the area code tells people apart.
    line = f"01{(number * 7 + turn) % 100:02d}"
    status = ClientStatus.ACTIVE if number < 3 else random.choice(_STATUSES)
    main = 2 + number % 2 if number % 9 else 1
    return DemoClient(
        first_name=first,
        last_name=last,
        reference=f"24-{187 + number:04d}",
        email=f"{first}.{last}@example.com".lower().replace(" ", "-"),
        phone=f"+1{area}555{line}",
        phone_as_typed=f"({area}) 555-{line}",
        street=f"{100 + random.randrange(8900)} {random.choice(_STREETS)}",
        city=city,
        state=state,
        postal_code=postal_code,
        time_zone=zone,
        language="es" if number % 10 == 5 else "en",
        status=status,
        main=main,
        second=1 if main != 1 and number % 3 == 0 else None,
        # 9xx numbers are never issued as SSNs.
        ssn=f"9{random.randrange(10, 99)}{random.randrange(10, 65)}{random.randrange(1000, 9999)}"
        if number % 4 != 3
        else None,
        months_ago=1 + random.randrange(17),
    )


def _roman(number: int) -> str:
    parts = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    text = ""
    for value, sign in parts:
        while number >= value:
            text, number = text + sign, number - value
    return text
