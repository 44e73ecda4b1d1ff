using System.Text;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public sealed class IconSetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    [Fact]
    public void ADrawingMayHaveSeveralNames()
    {
        Dictionary<string, byte[]> drawings = IconSet.Read(Set("""
            {"width": 48, "icons": {"bat": {"body": "<path/>", "height": 32}, "alarm-clock-1": {"body": "<g/>"}, "alarm-clock-2": {"body": "<a/>"}},
             "aliases": {"flying-bat": {"parent": "bat"}, "lost": {"parent": "gone"}}}
            """));
        Assert.Equal(["alarm-clock-1", "alarm-clock-2", "bat", "flying-bat"], drawings.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("viewBox=\"0 0 48 32\" color=\"black\"><path/></svg>", Encoding.UTF8.GetString(drawings["flying-bat"]));
        // A set that says no size has Iconify's.
        Assert.Contains("viewBox=\"0 0 48 16\" color=\"black\"><g/></svg>", Encoding.UTF8.GetString(drawings["alarm-clock-1"]));
        Assert.Equal("alarmclock", IconSet.Key("Alarm_Clock-2"));
    }

    [Fact]
    public void NamesStandForCodePoints()
    {
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "emoji-datasource-one")).FullName, "emoji.json"),
            """[{"name": "MOUSE FACE", "short_names": ["mouse", "mouse_face"], "image": "1f42d.png"}]""");
        Assert.Equal(["mouse", "mouseface"], IconSet.Codes(_folder, EmojiList.Read(_folder, "one")).Keys.Order());
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "openmoji", "data")).FullName, "openmoji.json"),
            """[{"annotation": "little mouse", "hexcode": "1F42D"}, {"annotation": "mouse", "hexcode": "1F401"}]""");
        Dictionary<string, string> codes = IconSet.Codes(_folder, EmojiList.Read(_folder, "one"));
        // The first list goes first.
        Assert.Equal(("1f42d", "1F42D"), (codes["mouse"], codes["littlemouse"]));
    }

    [Theory]
    [InlineData("no")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"icons": {"bat": {}}}""")]
    [InlineData("""{"icons": {"bat": {"body": null}}}""")]
    [InlineData("""{"width": "wide", "icons": {"bat": {"body": "<g/>"}}}""")]
    [InlineData("""{"icons": {}, "aliases": {"bat": {}}}""")]
    public void RefusesWhatIsNoSet(string json)
    {
        string path = Set(json);
        Assert.Contains(path, Assert.Throws<OmniFusionException>(() => IconSet.Read(path)).Message);
    }

    [Fact]
    public void NamesAMissingFile() =>
        Assert.Contains("icons.json", Assert.Throws<OmniFusionException>(() => IconSet.Read(Path.Combine(_folder, "icons.json"))).Message);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Set(string json)
    {
        string path = Path.Combine(_folder, "icons.json");
        File.WriteAllText(path, json);
        return path;
    }
}
