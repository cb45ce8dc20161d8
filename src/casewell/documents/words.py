"""How pages and the ledger speak of documents."""

from casewell.documents.models import DocumentKind

KIND_WORDS = {
    DocumentKind.IDENTITY: "Identity",
    DocumentKind.ADDRESS: "Proof of address",
    DocumentKind.CREDIT_REPORT: "Credit report",
    DocumentKind.DISPUTE_LETTER: "Dispute letter",
    DocumentKind.BUREAU_ANSWER: "Answer of a bureau",
    DocumentKind.AGREEMENT: "Agreement",
    DocumentKind.AUTHORIZATION: "Authorization",
    DocumentKind.STATEMENT: "Statement or bill",
    DocumentKind.OTHER: "Other",
}
